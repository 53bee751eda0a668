//! Every file of the corpus is taken in whole, or refused with a reason; nothing is lost on the way.
//!
//! `CAPOL_EXPORT_TO=FOLDER` keeps what is written of it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use capol::export::{Exported, Intake, Options, export, read};
use capol::model::properties::Access;
use capol::model::wire::encode;
use capol::model::{Kind, Value};
use capol::syntax::{FileId, SourceFile, format, parse};

use serde_json::Value as Json;

use crate::shared;

/// The files of each repository, for one was exported together.
fn repositories(corpus: &Path) -> BTreeMap<String, Vec<(String, Vec<u8>)>> {
    let mut repositories: BTreeMap<String, Vec<(String, Vec<u8>)>> = BTreeMap::new();
    let endings = [".json", ".ndjson", ".yaml", ".yml"];
    for path in endings.iter().flat_map(|ending| shared::files(corpus, ending)) {
        let name = path.strip_prefix(corpus).unwrap().to_string_lossy().into_owned();
        let repository = name.split('/').next().unwrap_or_default().to_owned();
        repositories
            .entry(repository)
            .or_default()
            .push((name, std::fs::read(&path).unwrap()));
    }
    repositories
}

/// What is known of the corpus: how many objects of each kind are in it, and what is not taken in.
#[test]
fn every_file_is_taken_in_or_refused_with_a_reason() {
    let Some(corpus) = shared::folder("corpus") else {
        return;
    };
    let mut counts = Counts::default();
    for file in repositories(&corpus).into_values().flatten() {
        let intake: Intake = read(std::slice::from_ref(&file));
        assert!(
            !(intake.objects.is_empty()
                && intake.names.is_empty()
                && intake.rejected.is_empty()
                && intake.ignored.is_empty()),
            "{} is passed over in silence",
            file.0
        );
        counts.add(intake);
    }
    println!("{counts:#?}");
    // Nothing of a real tenant is refused, but for files that are no JSON.
    assert!(counts.taken_in[&Kind::Policy] > 700, "{counts:#?}");
    let reasons: Vec<&str> = counts.refused.keys().map(String::as_str).collect();
    assert!(
        reasons.iter().all(|reason| reason.starts_with("line ")
            || reason.starts_with("this is ")
            || reason.contains(" is not whole: ")),
        "{reasons:#?}"
    );
}

#[derive(Debug, Default)]
struct Counts {
    taken_in: BTreeMap<Kind, usize>,
    from_real_tenants: usize,
    with_placeholders: usize,
    with_unknown_members: Vec<String>,
    refused: BTreeMap<String, Vec<String>>,
    nothing_of_conditional_access: BTreeMap<&'static str, usize>,
}

impl Counts {
    fn add(&mut self, intake: Intake) {
        for found in &intake.objects {
            *self.taken_in.entry(found.kind).or_default() += 1;
            self.from_real_tenants += usize::from(found.has_identity);
            if let Some(raw) = &found.object.raw {
                self.with_unknown_members.push(format!("{}: {raw}", found.file));
            }
        }
        let objects: Vec<Exported> = intake.objects.iter().map(Exported::from).collect();
        let project = export(&objects, &intake.names, &Options::default());
        let has_text_variables = project
            .files
            .iter()
            .any(|(_, text)| text.contains("type = string"));
        self.with_placeholders += usize::from(!project.unset_variables.is_empty() || has_text_variables);
        for rejected in intake.rejected {
            let place = format!("{}{}", rejected.file, rejected.pointer);
            self.refused
                .entry(rejected.reason.to_string())
                .or_default()
                .push(place);
        }
        for other in intake.ignored {
            *self.nothing_of_conditional_access.entry(other.what).or_default() += 1;
        }
    }
}

/// The leaves of a JSON value that mean something to the service, in one spelling: what is off is
/// left out, sets are sorted, and letters are small.
fn meaning(json: &Json, path: &str, into: &mut BTreeSet<String>) {
    match json {
        Json::Object(members) => {
            let is_off = members
                .get("isEnabled")
                .is_some_and(|on| !on.as_bool().unwrap_or(false));
            for (member, value) in members.iter().filter(|_| !is_off) {
                if !member.contains("@odata") && !member.starts_with('#') {
                    meaning(value, &format!("{path}.{member}"), into);
                }
            }
        }
        Json::Array(values) => values.iter().for_each(|value| meaning(value, path, into)),
        Json::Null | Json::Bool(false) => {}
        Json::String(text) => {
            let is_combination = path.ends_with("Combinations");
            for part in text
                .split(|c| c == ',' && !is_combination && is_flags(path))
                .map(str::trim)
            {
                if !part.is_empty() && !part.eq_ignore_ascii_case("none") {
                    into.insert(format!("{path} = {}", part.to_lowercase()));
                }
            }
        }
        other => {
            into.insert(format!("{path} = {other}"));
        }
    }
}

fn is_flags(path: &str) -> bool {
    [
        ".guestOrExternalUserTypes",
        ".transferMethods",
        ".insiderRiskLevels",
        ".agentIdRiskLevels",
    ]
    .iter()
    .any(|flags| path.ends_with(flags))
}

/// What the service works out, fills in or rewrites by itself.
fn is_the_services(kind: Kind, leaf: &str) -> bool {
    let read_only = kind
        .properties()
        .iter()
        .filter(|property| property.access == Access::ReadOnly)
        .any(|property| leaf.starts_with(&format!(".{} ", property.wire)));
    read_only
        || leaf.starts_with(".grantControls.authenticationStrength.") && !leaf.contains("Strength.id ")
        || leaf.starts_with(".grantControls.operator ")
        || leaf.ends_with(".membershipKind = all")
        || leaf.ends_with(".frequencyInterval = timebased")
        || leaf.ends_with(".authenticationType = primaryandsecondaryauthentication")
        || leaf.starts_with(".combinationConfigurations.id ")
        // Beside `everyTime` the service keeps no value.
        || leaf == ".sessionControls.signInFrequency.value = 0"
        || leaf == ".conditions.clientAppTypes = all"
        || leaf == ".countryLookupMethod = clientipaddress"
}

#[test]
fn nothing_is_lost_between_the_file_and_what_would_be_written() {
    let Some(corpus) = shared::folder("corpus") else {
        return;
    };
    let mut compared = 0;
    for file in repositories(&corpus).into_values().flatten() {
        for found in read(std::slice::from_ref(&file)).objects {
            let body = encode(&found.object, &mut |_| None).unwrap();
            let (mut before, mut after) = (BTreeSet::new(), BTreeSet::new());
            meaning(&found.json, "", &mut before);
            meaning(&body.json, "", &mut after);
            let noise = |leaf: &String| is_the_services(found.kind, leaf);
            let lost: Vec<&String> = before.difference(&after).filter(|leaf| !noise(leaf)).collect();
            let added: Vec<&String> = after.difference(&before).filter(|leaf| !noise(leaf)).collect();
            assert!(
                lost.is_empty() && added.is_empty(),
                "{}{}: lost {lost:#?}, added {added:#?}",
                found.file,
                found.pointer
            );
            let operator = found
                .json
                .pointer("/grantControls/operator")
                .and_then(Json::as_str);
            if let (Some(operator), Some(Value::Grant(grant))) = (operator, found.object.get("grantControls"))
                && grant.controls.len() > 1
            {
                let written = body
                    .json
                    .pointer("/grantControls/operator")
                    .and_then(Json::as_str);
                assert_eq!(
                    written.map(str::to_lowercase),
                    Some(operator.to_lowercase()),
                    "{}",
                    found.file
                );
            }
            compared += 1;
        }
    }
    println!("{compared} objects compared");
}

/// The layout of a text, or the errors in it.
fn formatted(name: &str, text: &str) -> String {
    let file = SourceFile::new(FileId(0), name, text);
    match format(&parse(&file)) {
        Ok(formatted) => formatted,
        Err(errors) => panic!("{name}: {errors:#?}\n{text}"),
    }
}

#[test]
fn every_repository_becomes_a_project_that_parses_and_is_laid_out() {
    let Some(corpus) = shared::folder("corpus") else {
        return;
    };
    for (repository, files) in repositories(&corpus) {
        let intake = read(&files);
        let objects: Vec<Exported> = intake.objects.iter().map(Exported::from).collect();
        let project = export(
            &objects,
            &intake.names,
            &Options {
                import_blocks: true,
                ..Options::default()
            },
        );
        for (name, text) in &project.files {
            assert_eq!(
                &formatted(name, text),
                text,
                "{repository}/{name} is not laid out as fmt would"
            );
            if let Some(folder) = std::env::var_os("CAPOL_EXPORT_TO") {
                let folder = Path::new(&folder).join(&repository);
                std::fs::create_dir_all(&folder).unwrap();
                std::fs::write(folder.join(name), text).unwrap();
            }
        }
        let mut reversed = objects.clone();
        reversed.reverse();
        let options = Options {
            import_blocks: true,
            ..Options::default()
        };
        let other = export(&reversed, &intake.names, &options);
        for (name, text) in &other.files {
            let first = project.files.iter().find(|(other, _)| other == name).unwrap();
            assert_eq!(
                &first.1, text,
                "{repository}/{name} depends on the order of the files"
            );
        }
    }
}
