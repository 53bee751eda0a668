//! One sign-in as somebody asks for it, by names, made into a record by ids.

use std::collections::BTreeSet;

use serde_json::{Map, Value as Json, json};

use super::{People, WhatIfError};
use crate::model::catalogue::apps::{self, AppTarget};
use crate::model::live::Answer;
use crate::model::reference::is_guid;
use crate::model::{Lookup, Target};

/// What stands for the Office 365 suite in a sign-in (`FACTS` 8); the keyword is only for policies.
const OFFICE_365: &str = "67ad5377-2d78-4ac2-a867-6300cda00e85";

/// A sign-in by names.
#[derive(Debug, Clone)]
pub struct Asked {
    /// Who signs in.
    pub who: Who,
    /// To what.
    pub what: What,
    /// `signInConditions`, in Graph's words.
    pub conditions: Map<String, Json>,
    /// Controls and methods that can be done; none when the decision shall not depend on them.
    pub satisfied: Vec<String>,
}

/// Who signs in.
#[derive(Debug, Clone)]
pub enum Who {
    /// A person.
    User {
        /// Account name, mail address or id.
        name: String,
        /// `externalUserType`, if told.
        external: Option<String>,
        /// `externalTenantId`, if told.
        tenant: Option<String>,
    },
    /// An application as itself, by name or object id.
    ServicePrincipal(String),
}

/// What is signed in to.
#[derive(Debug, Clone)]
pub enum What {
    /// Applications, by name, id, or the word of the language.
    Apps(Vec<String>),
    /// A user action, in the words of Graph's What-If.
    Action(String),
    /// An authentication context, by id or name.
    Context(String),
}

impl Asked {
    /// What people call it.
    pub fn title(&self) -> String {
        let who = match &self.who {
            Who::User { name, .. } | Who::ServicePrincipal(name) => name,
        };
        let what = match &self.what {
            What::Apps(names) => names.join(", "),
            What::Action(name) | What::Context(name) => name.clone(),
        };
        format!("{who} to {what}")
    }

    /// The record. Errors when a name means nothing or several things.
    pub async fn record(&self, people: &People<'_>) -> Result<Json, WhatIfError> {
        let identity = match &self.who {
            Who::User {
                name,
                external,
                tenant,
            } => {
                let id = match external {
                    // Somebody from outside need not be in the directory.
                    Some(_) if is_guid(name) => name.clone(),
                    _ => id_of(people, Target::User, name).await?,
                };
                json!({
                    "@odata.type": "#microsoft.graph.userSignIn",
                    "userId": id,
                    "externalUserType": external,
                    "externalTenantId": tenant,
                })
            }
            Who::ServicePrincipal(name) => json!({
                "@odata.type": "#microsoft.graph.servicePrincipalSignIn",
                "servicePrincipalId": id_of(people, Target::ServicePrincipal, name).await?,
            }),
        };
        let context = match &self.what {
            What::Apps(names) => {
                let mut ids = Vec::new();
                for name in names {
                    ids.push(app(people, name).await?);
                }
                json!({ "@odata.type": "#microsoft.graph.applicationContext", "includeApplications": ids })
            }
            What::Action(action) => {
                json!({ "@odata.type": "#microsoft.graph.userActionContext", "userAction": action })
            }
            What::Context(name) => json!({
                "@odata.type": "#microsoft.graph.authContext",
                "authenticationContextValue": context(people, name).await?,
            }),
        };
        let mut record = json!({
            "id": self.title(),
            "signInIdentity": without_nulls(identity),
            "signInContext": context,
            "signInConditions": self.conditions,
        });
        if let (Some(members), false) = (record.as_object_mut(), self.satisfied.is_empty()) {
            members.insert("satisfied".to_owned(), json!(self.satisfied));
        }
        Ok(record)
    }
}

fn without_nulls(mut json: Json) -> Json {
    if let Some(members) = json.as_object_mut() {
        members.retain(|_, value| !value.is_null());
    }
    json
}

async fn app(people: &People<'_>, name: &str) -> Result<String, WhatIfError> {
    let known = apps::by_name(name)
        .or_else(|| apps::by_wire(name))
        .or_else(|| apps::by_display_name(name));
    match known.map(|app| app.target) {
        Some(AppTarget::Keyword(word)) if word.eq_ignore_ascii_case("Office365") => Ok(OFFICE_365.to_owned()),
        Some(target) => Ok(target.wire().to_owned()),
        None if is_guid(name) => Ok(name.to_ascii_lowercase()),
        None => id_of(people, Target::App, name).await,
    }
}

async fn context(people: &People<'_>, name: &str) -> Result<String, WhatIfError> {
    let number = name
        .strip_prefix('c')
        .and_then(|number| number.parse::<u8>().ok());
    match number {
        Some(1..=99) => Ok(name.to_owned()),
        _ => id_of(people, Target::Context, name).await,
    }
}

/// The id behind a name. Errors when it is the name of nothing, or of several things.
async fn id_of(people: &People<'_>, target: Target, name: &str) -> Result<String, WhatIfError> {
    if is_guid(name) && matches!(people, People::Tenant(_)) {
        return Ok(name.to_ascii_lowercase());
    }
    let lookup = Lookup {
        target,
        name: name.to_owned(),
    };
    let answers = people.look_up(&BTreeSet::from([lookup.clone()])).await?;
    match answers.get(&lookup) {
        Some(Answer::Found(candidate)) => Ok(candidate.id.clone()),
        Some(Answer::Ambiguous(all)) => Err(WhatIfError::Several {
            what: target.plural(),
            name: name.to_owned(),
            all: all.clone(),
        }),
        Some(Answer::Missing(near)) => Err(WhatIfError::Nothing {
            what: target.noun(),
            name: name.to_owned(),
            near: near.clone(),
        }),
        None => Err(WhatIfError::Nothing {
            what: target.noun(),
            name: name.to_owned(),
            near: Vec::new(),
        }),
    }
}
