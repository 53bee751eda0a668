//! Ranges of IP addresses, as named locations hold them.
//!
//! Graph echoes a range as it was sent (`12.34.221.11/22` stays so), so the text
//! is kept and only looked into; two texts that mean the same addresses are
//! found by [`IpRange::means_same`].

use std::fmt;
use std::net::IpAddr;
use std::net::Ipv4Addr;
use std::net::Ipv6Addr;

/// A range of addresses, with the text it was written as.
///
/// Equality is that of the text.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IpRange {
    text: String,
    form: RangeForm,
    first: IpAddr,
    last: IpAddr,
}

/// How a range is written, which decides its type on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RangeForm {
    /// `203.0.113.0/24` and `2001:db8::/32`; the number is the prefix length in bits.
    Cidr(u8),
    /// `203.0.113.4-203.0.113.9`: the older form, which tenants may still hold.
    Span,
}

/// Why a text is no range that the service takes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, miette::Diagnostic)]
pub enum IpRangeError {
    /// An address without a prefix length; the service refuses it.
    #[error("`{text}` is an address, not a range")]
    #[diagnostic(code("model::bare_address"), help("write `{range}` for this one address"))]
    BareAddress {
        /// What was written.
        text: String,
        /// The same, as a range.
        range: String,
    },
    /// Not an address before the slash, or on one side of the dash.
    #[error("`{part}` is not an IP address")]
    #[diagnostic(
        code("model::not_an_address"),
        help("write an IPv4 range like `203.0.113.0/24` or an IPv6 range like `2001:db8::/32`")
    )]
    NotAnAddress {
        /// The part that is wrong.
        part: String,
    },
    /// `010.0.0.1`: eight for some programs, ten for others.
    #[error("`{part}` has a number with a leading zero, which programs read in two ways")]
    #[diagnostic(code("model::leading_zero"), help("write `{decimal}`"))]
    LeadingZero {
        /// The address.
        part: String,
        /// The address read as decimal numbers.
        decimal: String,
    },
    /// A network mask where a prefix length belongs.
    #[error("`{mask}` is a network mask, not a prefix length")]
    #[diagnostic(code("model::network_mask"), help("write `{range}`"))]
    NetworkMask {
        /// What stands behind the slash.
        mask: String,
        /// The range with its prefix length.
        range: String,
    },
    /// Something else behind the slash.
    #[error("`{prefix}` is not a prefix length")]
    #[diagnostic(
        code("model::prefix_length"),
        help("write a whole number from 0 to {longest} behind the slash")
    )]
    PrefixLength {
        /// What stands behind the slash.
        prefix: String,
        /// The longest prefix of the address family, in bits.
        longest: u8,
    },
    /// An IPv4 and an IPv6 end.
    #[error("`{text}` begins and ends in different address families")]
    #[diagnostic(
        code("model::mixed_families"),
        help("write one range for IPv4 and another one for IPv6")
    )]
    MixedFamilies {
        /// What was written.
        text: String,
    },
    /// The end lies before the beginning.
    #[error("`{text}` ends before it begins")]
    #[diagnostic(code("model::reversed_range"), help("write `{range}`"))]
    Reversed {
        /// What was written.
        text: String,
        /// The same addresses the other way round.
        range: String,
    },
}

/// What the service stores but the admin center refuses, or what matches nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, miette::Diagnostic)]
pub enum IpRangeWarning {
    /// A prefix of at most 8 bits. Microsoft's page asks for a longer one; the
    /// API has accepted shorter ones.
    #[error("`{text}` is a very large range")]
    #[diagnostic(
        code("model::large_range"),
        severity(Warning),
        help("write ranges with a prefix longer than /8, or the service may refuse them")
    )]
    Large {
        /// The range.
        text: String,
    },
    /// Addresses that never reach Entra as the source of a sign-in.
    #[error("`{text}` is {why}, and Entra sees the public address of a sign-in")]
    #[diagnostic(
        code("model::private_range"),
        severity(Warning),
        help("write the public addresses behind which these clients stand")
    )]
    NotPublic {
        /// The range.
        text: String,
        /// What the addresses are.
        why: &'static str,
    },
    /// The address has bits set behind the prefix.
    #[error("`{text}` names an address inside the range, which runs from {first} to {last}")]
    #[diagnostic(
        code("model::host_bits"),
        severity(Warning),
        help("write `{range}`, which means the same")
    )]
    HostBits {
        /// The range.
        text: String,
        /// Its first address.
        first: IpAddr,
        /// Its last address.
        last: IpAddr,
        /// The same range from its first address.
        range: String,
    },
}

impl IpRange {
    /// Reads a range: `address/prefix`, or `lower-upper`.
    pub fn parse(text: &str) -> Result<Self, IpRangeError> {
        let trimmed = text.trim();
        if let Some((lower, upper)) = trimmed.split_once('-') {
            Self::parse_span(text, lower, upper)
        } else if let Some((address, prefix)) = trimmed.split_once('/') {
            Self::parse_cidr(text, address, prefix)
        } else {
            let address = parse_address(trimmed)?;
            let range = format!("{address}/{}", longest_prefix(address));
            Err(IpRangeError::BareAddress {
                text: text.to_owned(),
                range,
            })
        }
    }

    fn parse_cidr(text: &str, address: &str, prefix: &str) -> Result<Self, IpRangeError> {
        let address = parse_address(address)?;
        let longest = longest_prefix(address);
        let well_formed = !prefix.is_empty() && prefix.bytes().all(|byte| byte.is_ascii_digit());
        let length = prefix
            .parse::<u8>()
            .ok()
            .filter(|length| well_formed && *length <= longest);
        let Some(length) = length else {
            return Err(
                network_mask(address, prefix).unwrap_or_else(|| IpRangeError::PrefixLength {
                    prefix: prefix.to_owned(),
                    longest,
                }),
            );
        };
        let (first, last) = bounds(address, length);
        Ok(Self {
            text: text.to_owned(),
            form: RangeForm::Cidr(length),
            first,
            last,
        })
    }

    fn parse_span(text: &str, lower: &str, upper: &str) -> Result<Self, IpRangeError> {
        let first = parse_address(lower.trim())?;
        let last = parse_address(upper.trim())?;
        if first.is_ipv4() != last.is_ipv4() {
            return Err(IpRangeError::MixedFamilies {
                text: text.to_owned(),
            });
        }
        if last < first {
            let range = format!("{last}-{first}");
            return Err(IpRangeError::Reversed {
                text: text.to_owned(),
                range,
            });
        }
        Ok(Self {
            text: text.to_owned(),
            form: RangeForm::Span,
            first,
            last,
        })
    }

    /// The range as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// How it was written.
    #[must_use]
    pub fn form(&self) -> RangeForm {
        self.form
    }

    /// Whether it holds IPv6 addresses.
    #[must_use]
    pub fn is_ipv6(&self) -> bool {
        self.first.is_ipv6()
    }

    /// The first address.
    #[must_use]
    pub fn first(&self) -> IpAddr {
        self.first
    }

    /// The last address.
    #[must_use]
    pub fn last(&self) -> IpAddr {
        self.last
    }

    /// Whether `address` lies in the range.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        address.is_ipv4() == self.first.is_ipv4() && self.first <= address && address <= self.last
    }

    /// Whether every address of `other` lies in this range.
    #[must_use]
    pub fn covers(&self, other: &Self) -> bool {
        self.contains(other.first) && self.contains(other.last)
    }

    /// Whether both hold the same addresses, however they are written.
    #[must_use]
    pub fn means_same(&self, other: &Self) -> bool {
        (self.first, self.last) == (other.first, other.last)
    }

    /// The `@odata.type` of the range on the wire.
    #[must_use]
    pub fn odata_type(&self) -> &'static str {
        match (self.form, self.is_ipv6()) {
            (RangeForm::Cidr(_), false) => "#microsoft.graph.iPv4CidrRange",
            (RangeForm::Cidr(_), true) => "#microsoft.graph.iPv6CidrRange",
            (RangeForm::Span, false) => "#microsoft.graph.iPv4Range",
            (RangeForm::Span, true) => "#microsoft.graph.iPv6Range",
        }
    }

    /// What an author should know about the range, though the service takes it.
    #[must_use]
    pub fn warnings(&self) -> Vec<IpRangeWarning> {
        let text = self.text.clone();
        let mut warnings = Vec::new();
        if let RangeForm::Cidr(length) = self.form {
            if length <= 8 {
                warnings.push(IpRangeWarning::Large { text: text.clone() });
            }
            let written = self
                .text
                .split('/')
                .next()
                .and_then(|part| parse_address(part.trim()).ok());
            if written.is_some_and(|address| address != self.first) {
                warnings.push(IpRangeWarning::HostBits {
                    text: text.clone(),
                    first: self.first,
                    last: self.last,
                    range: format!("{}/{length}", self.first),
                });
            }
        }
        if let Some(why) = why_not_public(self.first) {
            warnings.push(IpRangeWarning::NotPublic { text, why });
        }
        warnings
    }
}

impl fmt::Display for IpRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

fn longest_prefix(address: IpAddr) -> u8 {
    if address.is_ipv4() { 32 } else { 128 }
}

/// Real exports hold `12.34.56.00`, so a zero may be doubled; a zero before
/// another digit would change the number for programs that read octal.
fn parse_address(text: &str) -> Result<IpAddr, IpRangeError> {
    if let Ok(address) = text.parse::<IpAddr>() {
        return Ok(address);
    }
    let not_an_address = || IpRangeError::NotAnAddress {
        part: text.to_owned(),
    };
    let parts: Vec<&str> = text.split('.').collect();
    let mut octets = [0_u8; 4];
    if parts.len() != octets.len() {
        return Err(not_an_address());
    }
    for (octet, part) in octets.iter_mut().zip(&parts) {
        let digits = (1..=3).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit());
        *octet = part.parse().ok().filter(|_| digits).ok_or_else(not_an_address)?;
    }
    let address = Ipv4Addr::from(octets);
    let same_in_octal = |part: &&str| !part.starts_with('0') || part.bytes().all(|byte| byte == b'0');
    if parts.iter().all(same_in_octal) {
        return Ok(IpAddr::V4(address));
    }
    Err(IpRangeError::LeadingZero {
        part: text.to_owned(),
        decimal: address.to_string(),
    })
}

fn bounds(address: IpAddr, length: u8) -> (IpAddr, IpAddr) {
    match address {
        IpAddr::V4(address) => {
            let hosts = u32::MAX.checked_shr(length.into()).unwrap_or(0);
            let bits = u32::from(address);
            (
                IpAddr::V4(Ipv4Addr::from(bits & !hosts)),
                IpAddr::V4(Ipv4Addr::from(bits | hosts)),
            )
        }
        IpAddr::V6(address) => {
            let hosts = u128::MAX.checked_shr(length.into()).unwrap_or(0);
            let bits = u128::from(address);
            (
                IpAddr::V6(Ipv6Addr::from(bits & !hosts)),
                IpAddr::V6(Ipv6Addr::from(bits | hosts)),
            )
        }
    }
}

fn network_mask(address: IpAddr, mask: &str) -> Option<IpRangeError> {
    let bits = u32::from(mask.parse::<Ipv4Addr>().ok()?);
    let length = bits.leading_ones();
    if !address.is_ipv4() || bits.count_ones() != length {
        return None;
    }
    Some(IpRangeError::NetworkMask {
        mask: mask.to_owned(),
        range: format!("{address}/{length}"),
    })
}

/// The ranges that the admin center refuses by name.
fn why_not_public(address: IpAddr) -> Option<&'static str> {
    match address {
        IpAddr::V4(address) => match address.octets() {
            [0, ..] => Some("in the reserved network 0.0.0.0/8"),
            [255, ..] => Some("in the reserved network 255.0.0.0/8"),
            [127, ..] => Some("a loopback range"),
            _ if address.is_private() => Some("a private range"),
            _ if address.is_link_local() => Some("a link-local range"),
            _ => None,
        },
        IpAddr::V6(address) if address.is_unique_local() => Some("a private range"),
        IpAddr::V6(address) if address.is_unicast_link_local() => Some("a link-local range"),
        IpAddr::V6(address) if address.is_loopback() => Some("a loopback range"),
        IpAddr::V6(_) => None,
    }
}

#[cfg(test)]
mod tests;
