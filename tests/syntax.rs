//! Every error of a text is told at its place with what to write instead, and text has one layout.

use std::fs;
use std::path::{Path, PathBuf};

use capol::syntax::{FileId, Parsed, SourceFile, SyntaxError, format, parse, print};
use miette::{GraphicalReportHandler, GraphicalTheme};

fn cases(folder: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/cases")
        .join(folder);
    let mut paths: Vec<PathBuf> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    paths.sort();
    assert!(!paths.is_empty());
    paths
}

fn name(path: &Path) -> String {
    path.file_name().unwrap().to_string_lossy().into_owned()
}

fn read(path: &Path) -> Result<Parsed, SyntaxError> {
    let bytes = fs::read(path).unwrap();
    SourceFile::from_bytes(FileId(0), &name(path), &bytes).map(|file| parse(&file))
}

fn rendered(error: &SyntaxError) -> String {
    let mut out = String::new();
    let theme = GraphicalTheme::unicode_nocolor();
    GraphicalReportHandler::new_themed(theme)
        .with_width(100)
        .render_report(&mut out, error)
        .unwrap();
    let lines: Vec<&str> = out.lines().map(str::trim_end).collect();
    lines.join("\n") + "\n"
}

#[test]
fn every_error_of_a_file_is_told_with_place_and_help() {
    for path in cases("syntax")
        .iter()
        .filter(|path| path.extension().is_some_and(|end| end == "capol"))
    {
        let told = match read(path) {
            Err(error) => rendered(&error),
            Ok(parsed) => {
                assert!(!parsed.errors.is_empty(), "{} has no error", path.display());
                assert!(format(&parsed).is_err());
                let errors: Vec<String> = parsed.errors.iter().map(rendered).collect();
                format!(
                    "{}\nwhat is left of it:\n\n{}",
                    errors.join("\n"),
                    print(&parsed.tree)
                )
            }
        };
        insta::with_settings!({
            snapshot_path => "cases/syntax",
            prepend_module_to_snapshot => false,
            omit_expression => true,
        }, {
            insta::assert_snapshot!(name(path).trim_end_matches(".capol"), told);
        });
    }
}

#[test]
fn text_has_one_layout() {
    for folder in cases("fmt") {
        let formatted = format(&read(&folder.join("input.capol")).unwrap()).unwrap();
        let expected = fs::read_to_string(folder.join("expected.capol")).unwrap();
        assert_eq!(formatted, expected, "{}", folder.display());
        let again = format(&read(&folder.join("expected.capol")).unwrap()).unwrap();
        assert_eq!(again, expected, "{} is not kept as it is", folder.display());
    }
}

/// Every string below a key of this name, anywhere in the document.
fn below<'a>(value: &'a serde_json::Value, key: &str, found: &mut Vec<&'a str>) {
    match value {
        serde_json::Value::Object(members) => {
            for (name, member) in members {
                found.extend(member.as_str().filter(|_| name == key));
                below(member, key, found);
            }
        }
        serde_json::Value::Array(elements) => elements.iter().for_each(|element| below(element, key, found)),
        _ => {}
    }
}

#[test]
fn the_editor_grammar_is_whole() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("grammar/capol.tmLanguage.json");
    let grammar: serde_json::Value = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    let mut includes = Vec::new();
    below(&grammar, "include", &mut includes);
    for include in includes {
        let name = include.strip_prefix('#').unwrap();
        assert!(grammar["repository"][name].is_object(), "{include} leads nowhere");
    }
    for key in ["match", "begin", "end"] {
        let mut patterns = Vec::new();
        below(&grammar, key, &mut patterns);
        for pattern in patterns {
            // A heredoc ends at the word that opened it, which only an editor's engine can express.
            regex::Regex::new(&pattern.replace("\\1", "EOT")).unwrap();
        }
    }
}
