//! Query options over lists: `$filter`, `$search`, `$select`, `$count`, paging.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Map;
use serde_json::Value;
use serde_json::json;

use super::call::Answer;
use super::call::Call;
use super::call::Outcome;
use super::call::Refusal;
use super::filter::Filter;
use super::tenant::Tenant;
use super::tenant::text;

/// Answers with one page of stored objects; only those that are looked at are shown.
pub(super) fn list<'a>(
    tenant: &Tenant,
    call: &Call,
    stored: impl Iterator<Item = &'a Value>,
    show: impl Fn(&'a Value) -> Value,
    context: &str,
) -> Outcome {
    if call.option("filter").is_some() || call.option("search").is_some() {
        return page(tenant, call, stored.map(show).collect(), context);
    }
    let stored: Vec<&Value> = stored.collect();
    let window = Window::of(tenant, call)?;
    let shown = window.cut(stored.iter().copied()).map(show).collect();
    Ok(answer(call, &window, stored.len(), shown, context))
}

/// Refuses options that a list does not offer.
pub(super) fn offers(call: &Call, options: &[&str]) -> Result<(), Refusal> {
    let other = call.query.iter().find(|(name, _)| {
        let bare = name.trim_start_matches('$').to_ascii_lowercase();
        bare != "skiptoken" && !options.contains(&bare.as_str())
    });
    match other {
        Some((name, _)) => Err(Refusal::bad(format!(
            "Query option '{}' is not allowed.",
            name.trim_start_matches('$')
        ))),
        None => Ok(()),
    }
}

/// Answers with one page of a list.
pub(super) fn page(tenant: &Tenant, call: &Call, items: Vec<Value>, context: &str) -> Outcome {
    let mut items = items;
    if let Some(expression) = call.option("filter") {
        let filter = Filter::parse(expression)?;
        items.retain(|item| filter.matches(item));
    }
    if let Some(search) = call.option("search") {
        if !call.eventual() {
            return Err(Refusal::new(
                400,
                "Request_UnsupportedQuery",
                "Request with $search query parameter only works through MSGraph with a special request header: 'ConsistencyLevel: eventual'",
            ));
        }
        let (name, word) = search_terms(search);
        items.retain(|item| text(item, &name).to_lowercase().contains(&word));
    }
    let total = items.len();
    let window = Window::of(tenant, call)?;
    let shown = window.cut(items.into_iter()).collect();
    Ok(answer(call, &window, total, shown, context))
}

/// The part of a list that a page holds.
struct Window {
    start: usize,
    size: usize,
}

impl Window {
    fn of(tenant: &Tenant, call: &Call) -> Result<Self, Refusal> {
        let number = |name: &str| -> Result<Option<usize>, Refusal> {
            call.option(name)
                .map(|digits| {
                    digits.parse().map_err(|_| {
                        Refusal::bad(format!(
                            "Invalid value '{digits}' for ${name} query option found."
                        ))
                    })
                })
                .transpose()
        };
        let settings = &tenant.settings;
        let size = number("top")?.unwrap_or(settings.page_size);
        let size = size.clamp(1, settings.largest_page.max(1));
        let start = match call.option("skiptoken") {
            Some(token) => offset(token)?,
            None => number("skip")?.unwrap_or(0),
        };
        Ok(Self { start, size })
    }

    fn cut<T>(&self, items: impl Iterator<Item = T>) -> impl Iterator<Item = T> {
        items.skip(self.start).take(self.size)
    }
}

/// Returns the body of a page; `items` are those within the window.
fn answer(call: &Call, window: &Window, total: usize, items: Vec<Value>, context: &str) -> Answer {
    let value: Vec<Value> = match call.option("select") {
        Some(names) => items.into_iter().map(|item| selected(item, names)).collect(),
        None => items,
    };
    let mut body = Map::new();
    body.insert("@odata.context".to_owned(), json!(call.context(context)));
    if call.option("count") == Some("true") {
        body.insert("@odata.count".to_owned(), json!(total));
    }
    let next = window.start + value.len();
    if next < total && !value.is_empty() {
        body.insert("@odata.nextLink".to_owned(), json!(next_link(call, next)));
    }
    body.insert("value".to_owned(), Value::Array(value));
    Answer::ok(Value::Object(body))
}

/// Answers with one object.
pub(super) fn entity(call: &Call, item: Value, context: &str) -> Answer {
    let item = match call.option("select") {
        Some(names) => selected(item, names),
        None => item,
    };
    Answer::ok(with_context(call, item, context))
}

/// Answers a create.
pub(super) fn created(call: &Call, item: Value, context: &str) -> Answer {
    Answer::created(with_context(call, item, context))
}

fn with_context(call: &Call, mut item: Value, context: &str) -> Value {
    if let Some(object) = item.as_object_mut() {
        object.insert("@odata.context".to_owned(), json!(call.context(context)));
    }
    item
}

fn selected(mut item: Value, names: &str) -> Value {
    if let Some(object) = item.as_object_mut() {
        object.retain(|name, _| {
            name == "@odata.type"
                || names
                    .split(',')
                    .any(|wanted| wanted.trim().eq_ignore_ascii_case(name))
        });
    }
    item
}

/// Takes `"displayName:word"` apart.
fn search_terms(search: &str) -> (String, String) {
    let bare = search.trim().trim_matches('"');
    match bare.split_once(':') {
        Some((name, word)) => (name.to_owned(), word.to_lowercase()),
        None => ("displayName".to_owned(), bare.to_lowercase()),
    }
}

fn next_link(call: &Call, offset: usize) -> String {
    let token = URL_SAFE_NO_PAD.encode(format!("sandbox:{offset}"));
    let mut options = url::form_urlencoded::Serializer::new(String::new());
    for (name, value) in &call.query {
        let bare = name.trim_start_matches('$').to_ascii_lowercase();
        if bare != "skiptoken" && bare != "skip" {
            options.append_pair(name, value);
        }
    }
    options.append_pair("$skiptoken", &token);
    format!("{}{}?{}", call.base, call.path, options.finish())
}

fn offset(token: &str) -> Result<usize, Refusal> {
    URL_SAFE_NO_PAD
        .decode(token)
        .ok()
        .and_then(|bytes| String::from_utf8(bytes).ok())
        .and_then(|text| text.strip_prefix("sandbox:")?.parse().ok())
        .ok_or_else(|| Refusal::bad("Skip token is invalid."))
}
