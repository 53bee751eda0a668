//! What the sign-in may do, for people.

use super::page::{Page, Role, Text};
use crate::ops::doctor::{Access, Diagnosis};

/// Tenant and sign-in, what can be read and written, what each command lacks.
pub fn doctor_page(diagnosis: &Diagnosis) -> Page {
    let mut page = Page::default();
    let signed_in = match &diagnosis.signed_in {
        Some(name) if diagnosis.is_user => format!("the user {name}"),
        Some(name) => format!("the application {name}"),
        None => "somebody: the token does not say who".to_owned(),
    };
    let tenant = format!("{} ({})", diagnosis.display_name, diagnosis.tenant_id);
    let head = [
        ("tenant", tenant),
        ("signed in as", signed_in),
        ("graph", diagnosis.endpoint.clone()),
    ];
    let rows = head
        .iter()
        .map(|(label, text)| (Text::of(Role::Muted, label), Text::plain(text)));
    page.rows(0, 20, rows.collect());
    page.blank();
    for area in &diagnosis.areas {
        let mut told = access_text("read", &area.read);
        if let Some(write) = &area.write {
            told.push(Role::Plain, ", ");
            told.append(access_text("write", write));
        }
        if area.optional && area.read != Access::Allowed {
            told.push(Role::Muted, " (commands do without)");
        }
        page.rows(0, 30, vec![(Text::plain(&format!("{:25}", area.what)), told)]);
    }
    page.blank();
    let mut rows: Vec<(String, &[String])> = Vec::new();
    for command in &diagnosis.commands {
        match rows.last_mut() {
            Some((commands, lacks)) if *lacks == command.lacks => {
                commands.push_str(", ");
                commands.push_str(command.command);
            }
            _ => rows.push((command.command.to_owned(), &command.lacks)),
        }
    }
    let rows = rows.into_iter().map(|(commands, lacks)| {
        let told = if lacks.is_empty() {
            Text::of(Role::Added, "ready")
        } else {
            Text::of(Role::Error, "lacks ").with(Role::Plain, &lacks.join("; "))
        };
        (Text::from(commands), told)
    });
    page.rows(0, 40, rows.collect());
    if diagnosis.is_user {
        page.blank();
        page.line(
            0,
            "A user also needs a directory role: Security Reader to read, Conditional Access Administrator or \
             Security Administrator to write.",
        );
    }
    page
}

fn access_text(verb: &str, access: &Access) -> Text {
    match access {
        Access::Allowed => Text::of(Role::Added, verb),
        Access::Unknown => Text::plain(&format!("{verb} not known")),
        Access::Denied { .. } => Text::of(Role::Error, &format!("no {verb}")),
        Access::Failed { .. } => Text::of(Role::Error, &format!("{verb} failed")),
    }
}
