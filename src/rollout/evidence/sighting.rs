//! What one line of a log says of the policies that are watched.

use std::borrow::Cow;

use super::{Scope, number};
use crate::access::Fact;
use crate::access::log::{Line, applied, country, error_code};

/// What came of a sign-in by a policy that applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Came {
    /// Nothing was asked for that was not there.
    Success,
    /// Refused, or would be.
    Failure,
    /// Somebody had to do something, or would have to.
    Interrupted,
}

/// Errors with which a sign-in stops for a prompt and may go on after it.
///
/// Strong authentication required (50074, 50076), registration for it required (50072, 50079), an external challenge
/// (50158), device authentication (50097), the question whether to stay signed in (50140). Source: Microsoft's page
/// "Microsoft Entra authentication and authorization error codes".
const PROMPTS: [&str; 7] = ["50072", "50074", "50076", "50079", "50097", "50140", "50158"];

/// A sign-in of nobody, or at no time that can be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoSignIn;

/// What one line says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sighting {
    /// The id of the sign-in.
    pub(super) id: Option<u128>,
    /// Who signed in.
    pub(super) who: u128,
    /// The account name.
    pub(super) name: String,
    /// The application.
    pub(super) app: String,
    /// The country.
    pub(super) country: String,
    /// Whether it lists any policy.
    pub(super) is_listed: bool,
    /// How many results of the policies it has no word for.
    pub(super) unknown: u32,
    /// What came of it, by place of the policy in the scope.
    pub(super) came: Vec<(usize, Came)>,
}

impl Scope {
    /// What a line says; nothing when it is no sign-in in the wave since it began. Errors when nobody can say whether it is.
    pub fn sighting(&self, line: &Line<'_>) -> Result<Option<Sighting>, NoSignIn> {
        let who = [&line.user_id, &line.service_principal_id]
            .into_iter()
            .filter_map(|id| id.as_deref())
            .find(|id| !id.is_empty())
            .ok_or(NoSignIn)?;
        let when = line.created_date_time.as_deref().ok_or(NoSignIn)?;
        let when: jiff::Timestamp = when.parse().map_err(|_| NoSignIn)?;
        if when < self.since {
            return Ok(None);
        }
        let number_of_who = number(who);
        if self
            .people
            .as_ref()
            .is_some_and(|people| !people.contains(&number_of_who))
        {
            return Ok(None);
        }
        let mut sighting = Sighting {
            id: line.id.as_deref().filter(|id| !id.is_empty()).map(number),
            who: number_of_who,
            name: String::new(),
            app: String::new(),
            country: String::new(),
            is_listed: false,
            unknown: 0,
            came: Vec::new(),
        };
        self.results(line, &mut sighting);
        if !sighting.came.is_empty() {
            let text = |text: &Option<Cow<'_, str>>| text.as_deref().unwrap_or_default().to_owned();
            sighting.app = text(&line.app_display_name);
            if let Fact::Is(country) = country(line) {
                sighting.country = country;
            }
            if sighting.came.iter().any(|(_, came)| *came != Came::Success) {
                sighting.name = text(&line.user_principal_name);
                if sighting.name.is_empty() {
                    who.clone_into(&mut sighting.name);
                }
            }
        }
        Ok(Some(sighting))
    }

    fn results(&self, line: &Line<'_>, sighting: &mut Sighting) {
        let Some(raw) = line.applied_policies else { return };
        let mut prompted = None;
        applied(raw, |policy| {
            sighting.is_listed = true;
            let is_known = |known: &String| known.eq_ignore_ascii_case(&policy.id);
            let Some(at) = self.policies.iter().position(is_known) else {
                return;
            };
            let came = match policy.result.as_ref() {
                "success" | "reportOnlySuccess" => Came::Success,
                "reportOnlyInterrupted" => Came::Interrupted,
                "reportOnlyFailure" => Came::Failure,
                "failure" => {
                    let is_prompt = *prompted.get_or_insert_with(|| {
                        error_code(line).is_some_and(|code| PROMPTS.contains(&code.as_str()))
                    });
                    if is_prompt {
                        Came::Interrupted
                    } else {
                        Came::Failure
                    }
                }
                "notApplied" | "reportOnlyNotApplied" | "notEnabled" => return,
                _ => {
                    sighting.unknown += 1;
                    return;
                }
            };
            sighting.came.push((at, came));
        });
    }
}
