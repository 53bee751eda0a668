use miette::Diagnostic;
use proptest::prelude::*;

use super::*;
use crate::model::catalogue::corpus;

#[track_caller]
fn range(text: &str) -> IpRange {
    IpRange::parse(text).unwrap()
}

#[test]
fn the_text_is_kept_and_the_addresses_are_known() {
    let cases = [
        (
            "203.0.113.0/24",
            "203.0.113.0",
            "203.0.113.255",
            "#microsoft.graph.iPv4CidrRange",
        ),
        (
            "12.34.221.11/22",
            "12.34.220.0",
            "12.34.223.255",
            "#microsoft.graph.iPv4CidrRange",
        ),
        (
            "12.34.56.00/32",
            "12.34.56.0",
            "12.34.56.0",
            "#microsoft.graph.iPv4CidrRange",
        ),
        (
            "0.0.0.0/0",
            "0.0.0.0",
            "255.255.255.255",
            "#microsoft.graph.iPv4CidrRange",
        ),
        (
            "2001:0:9d38:90d6:0:0:0:0/63",
            "2001:0:9d38:90d6::",
            "2001:0:9d38:90d7:ffff:ffff:ffff:ffff",
            "#microsoft.graph.iPv6CidrRange",
        ),
        (
            "2001:DB8::1/128",
            "2001:db8::1",
            "2001:db8::1",
            "#microsoft.graph.iPv6CidrRange",
        ),
        (
            "203.0.113.4-203.0.113.9",
            "203.0.113.4",
            "203.0.113.9",
            "#microsoft.graph.iPv4Range",
        ),
        (
            "2001:db8::1-2001:db8::ff",
            "2001:db8::1",
            "2001:db8::ff",
            "#microsoft.graph.iPv6Range",
        ),
    ];
    for (text, first, last, odata_type) in cases {
        let range = range(text);
        assert_eq!(range.to_string(), text);
        assert_eq!(
            (range.first().to_string(), range.last().to_string()),
            (first.to_owned(), last.to_owned()),
            "{text}"
        );
        assert_eq!(range.odata_type(), odata_type, "{text}");
    }
}

#[test]
fn what_the_service_refuses_is_refused_with_the_way_out() {
    let cases = [
        (
            "203.0.113.7",
            "model::bare_address",
            "write `203.0.113.7/32` for this one address",
        ),
        (
            "2001:db8::7",
            "model::bare_address",
            "write `2001:db8::7/128` for this one address",
        ),
        (
            "10.0.0.0/255.255.255.0",
            "model::network_mask",
            "write `10.0.0.0/24`",
        ),
        (
            "10.0.0.0/255.0.255.0",
            "model::prefix_length",
            "write a whole number from 0 to 32 behind the slash",
        ),
        (
            "10.0.0.0/33",
            "model::prefix_length",
            "write a whole number from 0 to 32 behind the slash",
        ),
        (
            "10.0.0.0/+8",
            "model::prefix_length",
            "write a whole number from 0 to 32 behind the slash",
        ),
        (
            "10.0.0.0/",
            "model::prefix_length",
            "write a whole number from 0 to 32 behind the slash",
        ),
        (
            "2001:db8::/129",
            "model::prefix_length",
            "write a whole number from 0 to 128 behind the slash",
        ),
        ("010.0.0.1/32", "model::leading_zero", "write `10.0.0.1`"),
        (
            "203.0.113.9-203.0.113.4",
            "model::reversed_range",
            "write `203.0.113.4-203.0.113.9`",
        ),
        (
            "203.0.113.9-2001:db8::1",
            "model::mixed_families",
            "write one range for IPv4 and another one for IPv6",
        ),
        (
            "256.0.0.0/8",
            "model::not_an_address",
            "write an IPv4 range like `203.0.113.0/24` or an IPv6 range like `2001:db8::/32`",
        ),
        (
            "10.0.*/16",
            "model::not_an_address",
            "write an IPv4 range like `203.0.113.0/24` or an IPv6 range like `2001:db8::/32`",
        ),
        (
            "",
            "model::not_an_address",
            "write an IPv4 range like `203.0.113.0/24` or an IPv6 range like `2001:db8::/32`",
        ),
    ];
    for (text, code, help) in cases {
        let error = IpRange::parse(text).unwrap_err();
        assert_eq!(error.code().unwrap().to_string(), code, "{text}");
        assert_eq!(error.help().unwrap().to_string(), help, "{text}");
    }
}

#[test]
fn a_way_out_is_itself_a_range() {
    for text in [
        "203.0.113.7",
        "2001:db8::7",
        "10.0.0.0/255.255.255.0",
        "203.0.113.9-203.0.113.4",
    ] {
        let help = IpRange::parse(text).unwrap_err().help().unwrap().to_string();
        range(help.split('`').nth(1).unwrap());
    }
}

#[test]
fn doubtful_ranges_are_warned_about() {
    let cases: [(&str, &[&str]); 8] = [
        ("203.0.113.0/24", &[]),
        ("64.0.0.0/8", &["`64.0.0.0/8` is a very large range"]),
        (
            "192.168.1.0/24",
            &["`192.168.1.0/24` is a private range, and Entra sees the public address of a sign-in"],
        ),
        (
            "fe80::/10",
            &["`fe80::/10` is a link-local range, and Entra sees the public address of a sign-in"],
        ),
        (
            "127.126.125.0/24",
            &["`127.126.125.0/24` is a loopback range, and Entra sees the public address of a sign-in"],
        ),
        (
            "12.34.221.11/22",
            &[
                "`12.34.221.11/22` names an address inside the range, which runs from 12.34.220.0 to 12.34.223.255",
            ],
        ),
        (
            "255.1.0.0/16",
            &[
                "`255.1.0.0/16` is in the reserved network 255.0.0.0/8, and Entra sees the public address of a sign-in",
            ],
        ),
        ("203.0.113.4-203.0.113.9", &[]),
    ];
    for (text, expected) in cases {
        let warnings: Vec<String> = range(text).warnings().iter().map(ToString::to_string).collect();
        assert_eq!(warnings, expected, "{text}");
    }
}

#[test]
fn every_range_in_real_locations_is_one() {
    let Some(found) = corpus::strings_under(&["cidrAddress"]) else {
        return;
    };
    for text in found {
        assert_eq!(range(&text).as_str(), text);
    }
}

proptest! {
    #[test]
    fn a_range_contains_the_address_it_was_written_with(bits: u32, length in 0_u8..=32, other: u32) {
        let address = Ipv4Addr::from(bits);
        let range = IpRange::parse(&format!("{address}/{length}")).unwrap();
        prop_assert!(range.contains(address.into()));
        let net = ipnet::Ipv4Net::new(address, length).unwrap();
        prop_assert_eq!(range.contains(Ipv4Addr::from(other).into()), net.contains(&Ipv4Addr::from(other)));
        prop_assert_eq!(range.first(), IpAddr::from(net.network()));
        prop_assert_eq!(range.last(), IpAddr::from(net.broadcast()));
    }

    #[test]
    fn an_ipv6_range_has_the_bounds_of_its_network(bits: u128, length in 0_u8..=128) {
        let net = ipnet::Ipv6Net::new(Ipv6Addr::from(bits), length).unwrap();
        let range = IpRange::parse(&net.to_string()).unwrap();
        prop_assert_eq!(range.first(), IpAddr::from(net.network()));
        prop_assert_eq!(range.last(), IpAddr::from(net.broadcast()));
        prop_assert!(range.covers(&range) && range.means_same(&range));
    }

    #[test]
    fn no_text_makes_it_fail_otherwise_than_with_an_error(text in ".{0,40}") {
        let _ = IpRange::parse(&text);
    }
}
