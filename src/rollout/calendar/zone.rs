//! Time zones by name, from the database that capol was built with.

use jiff::tz::{TimeZone, TimeZoneDatabase};

use super::error::CalendarError;

/// How alike a name must be to be suggested.
const ALIKE: f64 = 0.85;

/// The zone of this name, in any casing: `Europe/Copenhagen`, `UTC`.
pub(super) fn zone(name: &str) -> Result<TimeZone, CalendarError> {
    let all = TimeZoneDatabase::bundled();
    all.get(name).map_err(|_| {
        let nearest = all
            .available()
            .map(|known| (alike(known.as_str(), name), known.as_str().to_owned()))
            .filter(|(alike, _)| *alike > ALIKE)
            .max_by(|one, other| one.0.total_cmp(&other.0).then_with(|| other.1.cmp(&one.1)));
        CalendarError::Zone {
            name: name.to_owned(),
            help: match nearest {
                Some((_, nearest)) => format!("did you mean `{nearest}`"),
                None => "write a name of the tz database, such as `Europe/Copenhagen` or `UTC`".to_owned(),
            },
        }
    })
}

/// People know the city better than the continent.
fn alike(known: &str, name: &str) -> f64 {
    let (known, name) = (known.to_ascii_lowercase(), name.to_ascii_lowercase());
    let city = known.rsplit('/').next().unwrap_or(&known);
    strsim::jaro_winkler(&known, &name).max(strsim::jaro_winkler(city, &name))
}
