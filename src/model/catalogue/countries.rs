//! Countries and regions by ISO 3166-1 alpha-2 code, as `countriesAndRegions` holds them.
//!
//! The 249 codes of the standard, and `XK` (Kosovo), which is user-assigned in
//! the standard and in common use with the location services Entra asks.

/// A country or region.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Country {
    /// Two upper-case letters.
    pub code: &'static str,
    /// English short name.
    pub name: &'static str,
}

/// All countries, in the order of their codes.
#[must_use]
pub fn all() -> &'static [Country] {
    COUNTRIES
}

/// The country with this code, written in any case.
#[must_use]
pub fn by_code(code: &str) -> Option<&'static Country> {
    COUNTRIES
        .iter()
        .find(|country| country.code.eq_ignore_ascii_case(code))
}

/// The country with this English name or common alias, written in any case.
#[must_use]
pub fn by_name(name: &str) -> Option<&'static Country> {
    let wanted = name.to_lowercase();
    COUNTRIES
        .iter()
        .find(|country| country.name.to_lowercase() == wanted)
        .or_else(|| {
            ALIASES
                .iter()
                .find(|(alias, _)| alias.eq_ignore_ascii_case(name))
                .and_then(|(_, code)| by_code(code))
        })
}

/// The country that somebody who wrote `text` most likely meant.
///
/// `text` may be a code in the wrong case, a code that people use but ISO does
/// not (`UK`), a name, or a name with a typing error. `None` when nothing is
/// near: no suggestion beats a silly one.
#[must_use]
pub fn nearest(text: &str) -> Option<&'static Country> {
    let text = text.trim();
    by_code(text).or_else(|| by_name(text)).or_else(|| {
        let nearest = super::nearest(text, COUNTRIES.iter().map(|country| country.name))?;
        by_name(nearest)
    })
}

/// What people write for a country that is neither its code nor its name here.
const ALIASES: &[(&str, &str)] = &[
    ("America", "US"),
    ("Britain", "GB"),
    ("Burma", "MM"),
    ("Czech Republic", "CZ"),
    ("East Timor", "TL"),
    ("EL", "GR"),
    ("England", "GB"),
    ("Great Britain", "GB"),
    ("Holland", "NL"),
    ("Ivory Coast", "CI"),
    ("Korea", "KR"),
    ("Macau", "MO"),
    ("Swaziland", "SZ"),
    ("Turkey", "TR"),
    ("UAE", "AE"),
    ("UK", "GB"),
    ("USA", "US"),
    ("Vatican", "VA"),
];

const fn country(code: &'static str, name: &'static str) -> Country {
    Country { code, name }
}

#[rustfmt::skip] // one country a line
const COUNTRIES: &[Country] = &[
    country("AD", "Andorra"),
    country("AE", "United Arab Emirates"),
    country("AF", "Afghanistan"),
    country("AG", "Antigua and Barbuda"),
    country("AI", "Anguilla"),
    country("AL", "Albania"),
    country("AM", "Armenia"),
    country("AO", "Angola"),
    country("AQ", "Antarctica"),
    country("AR", "Argentina"),
    country("AS", "American Samoa"),
    country("AT", "Austria"),
    country("AU", "Australia"),
    country("AW", "Aruba"),
    country("AX", "Åland Islands"),
    country("AZ", "Azerbaijan"),
    country("BA", "Bosnia and Herzegovina"),
    country("BB", "Barbados"),
    country("BD", "Bangladesh"),
    country("BE", "Belgium"),
    country("BF", "Burkina Faso"),
    country("BG", "Bulgaria"),
    country("BH", "Bahrain"),
    country("BI", "Burundi"),
    country("BJ", "Benin"),
    country("BL", "Saint Barthélemy"),
    country("BM", "Bermuda"),
    country("BN", "Brunei"),
    country("BO", "Bolivia"),
    country("BQ", "Bonaire, Sint Eustatius and Saba"),
    country("BR", "Brazil"),
    country("BS", "Bahamas"),
    country("BT", "Bhutan"),
    country("BV", "Bouvet Island"),
    country("BW", "Botswana"),
    country("BY", "Belarus"),
    country("BZ", "Belize"),
    country("CA", "Canada"),
    country("CC", "Cocos (Keeling) Islands"),
    country("CD", "Congo (Democratic Republic)"),
    country("CF", "Central African Republic"),
    country("CG", "Congo"),
    country("CH", "Switzerland"),
    country("CI", "Côte d'Ivoire"),
    country("CK", "Cook Islands"),
    country("CL", "Chile"),
    country("CM", "Cameroon"),
    country("CN", "China"),
    country("CO", "Colombia"),
    country("CR", "Costa Rica"),
    country("CU", "Cuba"),
    country("CV", "Cabo Verde"),
    country("CW", "Curaçao"),
    country("CX", "Christmas Island"),
    country("CY", "Cyprus"),
    country("CZ", "Czechia"),
    country("DE", "Germany"),
    country("DJ", "Djibouti"),
    country("DK", "Denmark"),
    country("DM", "Dominica"),
    country("DO", "Dominican Republic"),
    country("DZ", "Algeria"),
    country("EC", "Ecuador"),
    country("EE", "Estonia"),
    country("EG", "Egypt"),
    country("EH", "Western Sahara"),
    country("ER", "Eritrea"),
    country("ES", "Spain"),
    country("ET", "Ethiopia"),
    country("FI", "Finland"),
    country("FJ", "Fiji"),
    country("FK", "Falkland Islands"),
    country("FM", "Micronesia"),
    country("FO", "Faroe Islands"),
    country("FR", "France"),
    country("GA", "Gabon"),
    country("GB", "United Kingdom"),
    country("GD", "Grenada"),
    country("GE", "Georgia"),
    country("GF", "French Guiana"),
    country("GG", "Guernsey"),
    country("GH", "Ghana"),
    country("GI", "Gibraltar"),
    country("GL", "Greenland"),
    country("GM", "Gambia"),
    country("GN", "Guinea"),
    country("GP", "Guadeloupe"),
    country("GQ", "Equatorial Guinea"),
    country("GR", "Greece"),
    country("GS", "South Georgia and the South Sandwich Islands"),
    country("GT", "Guatemala"),
    country("GU", "Guam"),
    country("GW", "Guinea-Bissau"),
    country("GY", "Guyana"),
    country("HK", "Hong Kong"),
    country("HM", "Heard Island and McDonald Islands"),
    country("HN", "Honduras"),
    country("HR", "Croatia"),
    country("HT", "Haiti"),
    country("HU", "Hungary"),
    country("ID", "Indonesia"),
    country("IE", "Ireland"),
    country("IL", "Israel"),
    country("IM", "Isle of Man"),
    country("IN", "India"),
    country("IO", "British Indian Ocean Territory"),
    country("IQ", "Iraq"),
    country("IR", "Iran"),
    country("IS", "Iceland"),
    country("IT", "Italy"),
    country("JE", "Jersey"),
    country("JM", "Jamaica"),
    country("JO", "Jordan"),
    country("JP", "Japan"),
    country("KE", "Kenya"),
    country("KG", "Kyrgyzstan"),
    country("KH", "Cambodia"),
    country("KI", "Kiribati"),
    country("KM", "Comoros"),
    country("KN", "Saint Kitts and Nevis"),
    country("KP", "North Korea"),
    country("KR", "South Korea"),
    country("KW", "Kuwait"),
    country("KY", "Cayman Islands"),
    country("KZ", "Kazakhstan"),
    country("LA", "Laos"),
    country("LB", "Lebanon"),
    country("LC", "Saint Lucia"),
    country("LI", "Liechtenstein"),
    country("LK", "Sri Lanka"),
    country("LR", "Liberia"),
    country("LS", "Lesotho"),
    country("LT", "Lithuania"),
    country("LU", "Luxembourg"),
    country("LV", "Latvia"),
    country("LY", "Libya"),
    country("MA", "Morocco"),
    country("MC", "Monaco"),
    country("MD", "Moldova"),
    country("ME", "Montenegro"),
    country("MF", "Saint Martin"),
    country("MG", "Madagascar"),
    country("MH", "Marshall Islands"),
    country("MK", "North Macedonia"),
    country("ML", "Mali"),
    country("MM", "Myanmar"),
    country("MN", "Mongolia"),
    country("MO", "Macao"),
    country("MP", "Northern Mariana Islands"),
    country("MQ", "Martinique"),
    country("MR", "Mauritania"),
    country("MS", "Montserrat"),
    country("MT", "Malta"),
    country("MU", "Mauritius"),
    country("MV", "Maldives"),
    country("MW", "Malawi"),
    country("MX", "Mexico"),
    country("MY", "Malaysia"),
    country("MZ", "Mozambique"),
    country("NA", "Namibia"),
    country("NC", "New Caledonia"),
    country("NE", "Niger"),
    country("NF", "Norfolk Island"),
    country("NG", "Nigeria"),
    country("NI", "Nicaragua"),
    country("NL", "Netherlands"),
    country("NO", "Norway"),
    country("NP", "Nepal"),
    country("NR", "Nauru"),
    country("NU", "Niue"),
    country("NZ", "New Zealand"),
    country("OM", "Oman"),
    country("PA", "Panama"),
    country("PE", "Peru"),
    country("PF", "French Polynesia"),
    country("PG", "Papua New Guinea"),
    country("PH", "Philippines"),
    country("PK", "Pakistan"),
    country("PL", "Poland"),
    country("PM", "Saint Pierre and Miquelon"),
    country("PN", "Pitcairn"),
    country("PR", "Puerto Rico"),
    country("PS", "Palestine"),
    country("PT", "Portugal"),
    country("PW", "Palau"),
    country("PY", "Paraguay"),
    country("QA", "Qatar"),
    country("RE", "Réunion"),
    country("RO", "Romania"),
    country("RS", "Serbia"),
    country("RU", "Russia"),
    country("RW", "Rwanda"),
    country("SA", "Saudi Arabia"),
    country("SB", "Solomon Islands"),
    country("SC", "Seychelles"),
    country("SD", "Sudan"),
    country("SE", "Sweden"),
    country("SG", "Singapore"),
    country("SH", "Saint Helena"),
    country("SI", "Slovenia"),
    country("SJ", "Svalbard and Jan Mayen"),
    country("SK", "Slovakia"),
    country("SL", "Sierra Leone"),
    country("SM", "San Marino"),
    country("SN", "Senegal"),
    country("SO", "Somalia"),
    country("SR", "Suriname"),
    country("SS", "South Sudan"),
    country("ST", "São Tomé and Príncipe"),
    country("SV", "El Salvador"),
    country("SX", "Sint Maarten"),
    country("SY", "Syria"),
    country("SZ", "Eswatini"),
    country("TC", "Turks and Caicos Islands"),
    country("TD", "Chad"),
    country("TF", "French Southern Territories"),
    country("TG", "Togo"),
    country("TH", "Thailand"),
    country("TJ", "Tajikistan"),
    country("TK", "Tokelau"),
    country("TL", "Timor-Leste"),
    country("TM", "Turkmenistan"),
    country("TN", "Tunisia"),
    country("TO", "Tonga"),
    country("TR", "Türkiye"),
    country("TT", "Trinidad and Tobago"),
    country("TV", "Tuvalu"),
    country("TW", "Taiwan"),
    country("TZ", "Tanzania"),
    country("UA", "Ukraine"),
    country("UG", "Uganda"),
    country("UM", "United States Minor Outlying Islands"),
    country("US", "United States"),
    country("UY", "Uruguay"),
    country("UZ", "Uzbekistan"),
    country("VA", "Vatican City"),
    country("VC", "Saint Vincent and the Grenadines"),
    country("VE", "Venezuela"),
    country("VG", "British Virgin Islands"),
    country("VI", "U.S. Virgin Islands"),
    country("VN", "Vietnam"),
    country("VU", "Vanuatu"),
    country("WF", "Wallis and Futuna"),
    country("WS", "Samoa"),
    country("XK", "Kosovo"),
    country("YE", "Yemen"),
    country("YT", "Mayotte"),
    country("ZA", "South Africa"),
    country("ZM", "Zambia"),
    country("ZW", "Zimbabwe"),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::catalogue::corpus;

    #[test]
    fn codes_are_complete_sorted_and_unique() {
        assert_eq!(all().len(), 250);
        assert!(all().windows(2).all(|pair| pair[0].code < pair[1].code));
        assert!(
            all().iter().all(
                |country| country.code.len() == 2 && country.code.chars().all(|c| c.is_ascii_uppercase())
            )
        );
        for (alias, code) in ALIASES {
            assert!(by_code(code).is_some(), "{alias} leads to unknown {code}");
        }
    }

    #[test]
    fn a_near_miss_finds_the_country_meant() {
        let cases = [
            ("dk", Some("DK")),
            ("UK", Some("GB")),
            ("Denmark", Some("DK")),
            ("Danmark", Some("DK")),
            ("united kingdom", Some("GB")),
            ("Turkey", Some("TR")),
            ("QQ", None),
            ("everywhere else", None),
        ];
        for (text, code) in cases {
            assert_eq!(nearest(text).map(|country| country.code), code, "{text}");
        }
    }

    #[test]
    fn every_country_in_real_locations_is_known() {
        let Some(found) = corpus::strings_under(&["countriesAndRegions"]) else {
            return;
        };
        let unknown: Vec<_> = found.iter().filter(|code| by_code(code).is_none()).collect();
        assert!(unknown.is_empty(), "unknown countries: {unknown:?}");
    }
}
