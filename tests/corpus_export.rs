//! Every file of the corpus is taken in whole, or refused with a reason; nothing is lost on the way.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use capol::export::{Exported, Intake, Options, export, read};
use capol::model::Kind;
use capol::syntax::{FileId, SourceFile, format, parse};

/// The corpus of real exports, if it lies beside the project.
fn corpus() -> Option<PathBuf> {
    let shared = std::env::var_os("CAPOL_SHARED").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared"),
        PathBuf::from,
    );
    let corpus = shared.join("corpus");
    if !corpus.is_dir() {
        eprintln!("skipped: no corpus at {}", corpus.display());
        return None;
    }
    Some(corpus)
}

fn files(folder: &Path, endings: &[&str], into: &mut Vec<PathBuf>) {
    let mut entries: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            files(&path, endings, into);
        } else if path
            .extension()
            .is_some_and(|end| endings.iter().any(|ending| end.eq_ignore_ascii_case(ending)))
        {
            into.push(path);
        }
    }
}

/// The files of each repository, for one was exported together.
fn repositories(corpus: &Path) -> BTreeMap<String, Vec<(String, Vec<u8>)>> {
    let mut repositories: BTreeMap<String, Vec<(String, Vec<u8>)>> = BTreeMap::new();
    let mut paths = Vec::new();
    files(corpus, &["json", "ndjson", "yaml", "yml"], &mut paths);
    for path in paths {
        let name = path.strip_prefix(corpus).unwrap().to_string_lossy().into_owned();
        let repository = name.split('/').next().unwrap_or_default().to_owned();
        repositories
            .entry(repository)
            .or_default()
            .push((name, std::fs::read(&path).unwrap()));
    }
    repositories
}

#[test]
fn every_file_is_taken_in_or_refused_with_a_reason() {
    let Some(corpus) = corpus() else { return };
    let mut kinds: BTreeMap<Kind, usize> = BTreeMap::new();
    let mut reasons: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut ignored: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for (repository, files) in repositories(&corpus) {
        for file in &files {
            let intake: Intake = read(std::slice::from_ref(file));
            for found in &intake.objects {
                *kinds.entry(found.kind).or_default() += 1;
                if let Some(raw) = &found.object.raw {
                    println!("raw {}{}: {raw}", found.file, found.pointer);
                }
                for left in &found.left_out {
                    println!(
                        "left {}{}: {} {}",
                        found.file, found.pointer, left.member, left.why
                    );
                }
            }
            for rejected in intake.rejected {
                reasons
                    .entry(rejected.reason.to_string())
                    .or_default()
                    .push(format!("{}{}", rejected.file, rejected.pointer));
            }
            for other in intake.ignored {
                ignored.entry(other.what).or_default().push(other.file);
            }
        }
        let together = read(&files);
        println!(
            "{repository}: {} objects, {} names",
            together.objects.len(),
            together.names.len()
        );
        for rejected in together.rejected {
            println!("   {}{} {}", rejected.file, rejected.pointer, rejected.reason);
        }
    }
    println!("taken in: {kinds:?}");
    println!("refused: {reasons:#?}");
    println!("ignored: {ignored:#?}");
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
    let Some(corpus) = corpus() else { return };
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
        let other = export(&reversed, &intake.names, &Options::default());
        for (name, text) in &other.files {
            let first = project.files.iter().find(|(other, _)| other == name).unwrap();
            assert_eq!(
                &first.1, text,
                "{repository}/{name} depends on the order of the files"
            );
        }
    }
}
