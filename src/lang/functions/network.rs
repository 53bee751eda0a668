//! IP addresses and ranges.

use std::net::IpAddr;

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

use super::{Arguments, Function, Outcome, Refusal, functions};
use crate::lang::value::Value;

pub(super) const FUNCTIONS: &[Function] = functions! { "network":
    "cidrcontains" (2) "cidrcontains(range, address)" "Whether the range contains the address, or the whole of another range." = cidrcontains;
    "cidrhost" (2) "cidrhost(range, number)" "The address of this number in the range; negative numbers count from the end." = cidrhost;
    "cidrnetmask" (1) "cidrnetmask(range)" "The mask of an IPv4 range in dotted form." = cidrnetmask;
    "cidrsubnet" (3) "cidrsubnet(range, bits, number)" "The subnet of this number when the range's prefix is made longer by so many bits." = |a| Ok(Value::text(subnet(a, &range(a, 0)?, a.integer(1)?, a.integer(2)?)?.to_string()));
    "cidrsubnets" (2, any) "cidrsubnets(range, bits…)" "Consecutive subnets, each with its own number of bits more." = cidrsubnets;
};

fn range(arguments: &Arguments<'_>, index: usize) -> Result<IpNet, Refusal> {
    let text = arguments.text(index)?;
    text.trim().parse().map_err(|_| {
        Refusal::of(
            index,
            format!("`{text}` is not an IP range"),
            "write it as address and prefix length: `203.0.113.0/24`",
        )
    })
}

/// The first address as a number, the prefix length, and the width of addresses in bits.
fn parts(range: &IpNet) -> (u128, u8, u8) {
    match range {
        IpNet::V4(v4) => (u32::from(v4.network()).into(), v4.prefix_len(), 32),
        IpNet::V6(v6) => (v6.network().into(), v6.prefix_len(), 128),
    }
}

/// The range that starts at this number, of the same family as `like`.
fn build(like: &IpNet, first: u128, prefix: u8) -> Option<IpNet> {
    match like {
        IpNet::V4(_) => Ipv4Net::new(u32::try_from(first).ok()?.into(), prefix)
            .ok()
            .map(IpNet::V4),
        IpNet::V6(_) => Ipv6Net::new(first.into(), prefix).ok().map(IpNet::V6),
    }
}

fn longer_prefix(range: &IpNet, bits: i64, index: usize) -> Result<u8, Refusal> {
    let (_, prefix, width) = parts(range);
    u8::try_from(bits)
        .ok()
        .and_then(|bits| prefix.checked_add(bits))
        .filter(|longer| *longer <= width)
        .ok_or_else(|| {
            Refusal::of(
                index,
                format!("the prefix of `{range}` cannot be made longer by {bits} bits"),
                format!("write a number from 0 to {}", width.saturating_sub(prefix)),
            )
        })
}

fn subnet(arguments: &Arguments<'_>, range: &IpNet, bits: i64, number: i64) -> Result<IpNet, Refusal> {
    let (first, _, width) = parts(range);
    let prefix = longer_prefix(range, bits, 1)?;
    let fits = u128::try_from(number)
        .ok()
        .filter(|number| bits >= 64 || *number < 1_u128 << bits);
    fits.and_then(|number| {
        let shift = u32::from(width - prefix);
        let offset = if shift >= 128 {
            0
        } else {
            number.checked_mul(1_u128 << shift)?
        };
        build(range, first.checked_add(offset)?, prefix)
    })
    .ok_or_else(|| {
        Refusal::of(
            2,
            format!("`{range}` has no subnet number {number} with {bits} more bits"),
            format!("give a number that fits in {bits} bits to `{}`", arguments.name),
        )
    })
}

fn cidrsubnets(arguments: &Arguments<'_>) -> Outcome {
    let range = range(arguments, 0)?;
    let (first, _, width) = parts(&range);
    let mut next = first;
    let mut out = Vec::new();
    for index in 1..arguments.count() {
        let prefix = longer_prefix(&range, arguments.integer(index)?, index)?;
        let shift = u32::from(width - prefix);
        let size = 1_u128.checked_shl(shift).unwrap_or(u128::MAX);
        let start = next.checked_add(size - 1).map(|padded| padded & !(size - 1));
        let found = start
            .and_then(|start| build(&range, start, prefix))
            .filter(|subnet| range.contains(subnet))
            .ok_or_else(|| {
                Refusal::of(
                    index,
                    format!("`{range}` has no room left for this subnet"),
                    "give a larger range or fewer subnets",
                )
            })?;
        next = parts(&found).0.saturating_add(size);
        out.push(found.to_string());
    }
    Ok(arguments.texts_here(out))
}

fn cidrhost(arguments: &Arguments<'_>) -> Outcome {
    let range = range(arguments, 0)?;
    let number = arguments.integer(1)?;
    let (first, prefix, width) = parts(&range);
    let size = 1_u128.checked_shl(u32::from(width - prefix));
    let distance = u128::from(number.unsigned_abs());
    let host = match (number < 0, size) {
        (false, size) => size
            .is_none_or(|size| distance < size)
            .then(|| first.checked_add(distance))
            .flatten(),
        (true, Some(size)) => (distance <= size)
            .then(|| first.checked_add(size - distance))
            .flatten(),
        (true, None) => Some(u128::MAX - (distance - 1)),
    };
    host.and_then(|host| build(&range, host, width))
        .map(|host| Value::text(host.addr().to_string()))
        .ok_or_else(|| {
            Refusal::of(
                1,
                format!("`{range}` has no host number {number}"),
                "give a number that fits in the range",
            )
        })
}

fn cidrnetmask(arguments: &Arguments<'_>) -> Outcome {
    match range(arguments, 0)? {
        IpNet::V4(v4) => Ok(Value::text(v4.netmask().to_string())),
        IpNet::V6(v6) => Err(Refusal::of(
            0,
            format!("`{v6}` is an IPv6 range, which has no mask in dotted form"),
            "give an IPv4 range, or use the prefix length",
        )),
    }
}

fn cidrcontains(arguments: &Arguments<'_>) -> Outcome {
    let outer = range(arguments, 0)?;
    let text = arguments.text(1)?;
    let text = text.trim();
    let inner = match (text.parse::<IpAddr>(), text.parse::<IpNet>()) {
        (Ok(address), _) => IpNet::from(address),
        (_, Ok(range)) => range,
        _ => {
            return Err(Refusal::of(
                1,
                format!("`{text}` is not an IP address or range"),
                "write it as `203.0.113.7` or `203.0.113.0/24`",
            ));
        }
    };
    Ok(Value::Bool(outer.contains(&inner)))
}
