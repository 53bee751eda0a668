//! The shapes that logs come in, and logs that are broken.

use std::io::Write as _;
use std::path::PathBuf;

use proptest::prelude::*;
use serde_json::{Map, Value as Json, json};

use super::cases;
use crate::bench::Folder;

/// The sign-ins of the case `plain`, as Graph gives them.
fn sign_ins() -> Vec<Json> {
    let (_, folder) = cases().into_iter().find(|(name, _)| name == "plain").unwrap();
    let text = std::fs::read_to_string(folder.join("logs.json")).unwrap();
    let whole: Json = serde_json::from_str(&text).unwrap();
    whole["value"].as_array().unwrap().clone()
}

fn lines(records: &[Json]) -> String {
    records
        .iter()
        .fold(String::new(), |all, record| all + &format!("{record}\n"))
}

/// As diagnostic settings export it, with words around it that mean something else.
fn exported(sign_in: &Json) -> Json {
    json!({
        "time": sign_in["createdDateTime"],
        "resourceId": "/tenants/1/providers/Microsoft.aadiam",
        "category": "SignInLogs",
        "location": "ZZ",
        "Level": 4,
        "properties": sign_in,
    })
}

/// As the columns of Log Analytics; `packed` when the dynamic ones are texts.
fn columns(sign_in: &Json, packed: bool) -> Json {
    let mut columns = Map::new();
    for (member, value) in sign_in.as_object().unwrap() {
        let name = match member.as_str() {
            "ipAddress" => "IPAddress".to_owned(),
            "resourceId" => "ResourceIdentity".to_owned(),
            "location" => "LocationDetails".to_owned(),
            "appliedConditionalAccessPolicies" => "ConditionalAccessPolicies".to_owned(),
            other => other[..1].to_uppercase() + &other[1..],
        };
        let value = match value {
            Json::Object(_) | Json::Array(_) if packed => json!(value.to_string()),
            value => value.clone(),
        };
        columns.insert(name, value);
    }
    columns.insert(
        "ResourceId".to_owned(),
        json!("/tenants/1/providers/Microsoft.aadiam"),
    );
    columns.insert(
        "Location".to_owned(),
        sign_in["location"]["countryOrRegion"].clone(),
    );
    columns.insert("Type".to_owned(), json!("SigninLogs"));
    Json::Object(columns)
}

fn gzip(text: &str) -> Vec<u8> {
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(text.as_bytes()).unwrap();
    packed.finish().unwrap()
}

fn zstandard(text: &str) -> Vec<u8> {
    ruzstd::encoding::compress_to_vec(text.as_bytes(), ruzstd::encoding::CompressionLevel::Fastest)
}

/// A folder with the policies of the case `plain`.
fn folder() -> Folder {
    let folder = Folder::new();
    let (_, case) = cases().into_iter().find(|(name, _)| name == "plain").unwrap();
    for name in ["before.json", "after.json", "directory.json"] {
        folder.write(name, std::fs::read(case.join(name)).unwrap());
    }
    folder
}

fn report(folder: &Folder, logs: &[&str]) -> Json {
    let mut arguments = vec![
        "impact",
        "--json",
        "--policies",
        "before.json",
        "--after",
        "after.json",
    ];
    arguments.extend(["--directory", "directory.json", "--sign-ins"]);
    arguments.extend(logs);
    let ran = folder.capol(&arguments);
    serde_json::from_str(&ran.out).unwrap_or_else(|_| panic!("{logs:?}: {} {}", ran.out, ran.err))
}

#[test]
fn the_same_sign_ins_come_to_the_same_in_every_shape() {
    let sign_ins = sign_ins();
    let folder = folder();
    let exports: Vec<Json> = sign_ins.iter().map(exported).collect();
    let table: Vec<Json> = sign_ins.iter().map(|one| columns(one, false)).collect();
    let packed: Vec<Json> = sign_ins.iter().map(|one| columns(one, true)).collect();
    let shell = lines(&sign_ins).replace('\n', "\r\n");
    let (first, second) = sign_ins.split_at(4);
    let shapes: Vec<(&str, Vec<u8>)> = vec![
        ("graph.json", json!({ "value": sign_ins }).to_string().into()),
        (
            "pretty.json",
            format!("{:#}", json!({ "@odata.context": "x", "value": sign_ins })).into(),
        ),
        ("array.json", json!(sign_ins).to_string().into()),
        ("mark.json", format!("\u{feff}{:#}", json!(sign_ins)).into()),
        (
            "pages.json",
            format!(
                "{}\n{}\n",
                json!({ "value": first, "@odata.nextLink": "https://graph.microsoft.com/beta/x" }),
                json!({ "value": second })
            )
            .into(),
        ),
        (
            "objects.json",
            sign_ins
                .iter()
                .fold(String::new(), |all, one| all + &format!("{one:#}\n"))
                .into(),
        ),
        ("lines.ndjson", lines(&sign_ins).into()),
        ("windows.ndjson", shell.into()),
        ("unended.ndjson", lines(&sign_ins).trim_end().to_owned().into()),
        ("settings.json", lines(&exports).into()),
        (
            "hub.json",
            lines(&[
                json!({ "records": exports[..3] }),
                json!({ "records": exports[3..] }),
            ])
            .into(),
        ),
        ("table.json", lines(&table).into()),
        ("packed.json", lines(&packed).into()),
        ("packed_array.json", json!(packed).to_string().into()),
        ("lines.gz", gzip(&lines(&sign_ins))),
        ("members.gz", [gzip(&lines(first)), gzip(&lines(second))].concat()),
        ("lines.zst", zstandard(&lines(&sign_ins))),
        (
            "frames.zst",
            [zstandard(&lines(first)), zstandard(&lines(second))].concat(),
        ),
    ];
    let expected = {
        folder.write("logs.json", json!({ "value": sign_ins }).to_string());
        report(&folder, &["logs.json"])
    };
    assert_eq!(expected["sign_ins"], 9);
    for (name, bytes) in shapes {
        folder.write(name, bytes);
        assert_eq!(report(&folder, &[name]), expected, "{name}");
    }
}

#[test]
fn a_folder_means_every_log_below_it() {
    let folder = folder();
    let sign_ins = sign_ins();
    folder.write("logs/y=2026/m=11/PT1H.json", lines(&sign_ins[..5]));
    folder.write("logs/y=2026/m=12/PT1H.json", lines(&sign_ins[5..]));
    folder.write("logs/readme.txt", "no log");
    assert_eq!(report(&folder, &["logs"])["sign_ins"], 9);
}

#[test]
fn a_record_longer_than_any_sign_in_is_passed_over_with_its_place_and_counted() {
    let folder = folder();
    let sign_in = sign_ins()[0].to_string();
    let long = format!("{{\"id\":\"{}\"}}", "x".repeat(50 * 1024 * 1024));
    folder.write("lines.ndjson", format!("{sign_in}\n{long}\n{sign_in}\n{long}"));
    folder.write(
        "list.json",
        format!("{{\"value\":[{sign_in},{long},{sign_in},{long}]}}"),
    );
    for (name, number) in [("lines.ndjson", "line"), ("list.json", "record")] {
        let report = report(&folder, &[name]);
        assert_eq!(report["sign_ins"], 2, "{name}");
        assert_eq!(report["not_counted"]["kinds"], json!({ "too_long": 2 }), "{name}");
        let places: Vec<&Json> = report["not_counted"]["examples"]
            .as_array()
            .unwrap()
            .iter()
            .map(|example| &example[number])
            .collect();
        assert_eq!(places, [2, 4], "{name}");
    }
}

#[test]
fn what_is_no_log_at_all_is_refused() {
    let folder = folder();
    let utf_16: Vec<u8> = [0xff, 0xfe, b'{', 0, b'}', 0].to_vec();
    folder.write("utf16.json", utf_16);
    folder.write("log.parquet", b"PAR1xxxxPAR1");
    folder.write("other.json", "{\"category\":\"AuditLogs\"}\n");
    for (name, code) in [
        ("utf16.json", "ops::log_encoding"),
        ("log.parquet", "ops::log_parquet"),
        ("other.json", "ops::no_sign_ins"),
    ] {
        let arguments = ["impact", "--policies", "before.json", "--sign-ins", name];
        let ran = folder.capol(&arguments);
        assert_eq!(ran.status, 1);
        assert!(ran.err.contains(code), "{}", ran.err);
    }
}

/// Every sign-in of a log is either counted or told of, wherever it is cut and however it is read.
fn every_record_is_accounted_for(text: &[u8], pieces: usize) -> (u64, u64) {
    use capol::ops::impact::{Impact, Records};
    struct Drip<'t>(&'t [u8], usize);
    impl std::io::Read for Drip<'_> {
        fn read(&mut self, bytes: &mut [u8]) -> std::io::Result<usize> {
            let some = self.0.len().min(self.1).min(bytes.len());
            bytes[..some].copy_from_slice(&self.0[..some]);
            self.0 = &self.0[some..];
            Ok(some)
        }
    }
    let (_, case) = cases().into_iter().find(|(name, _)| name == "plain").unwrap();
    let path = |name: &str| -> Vec<PathBuf> { vec![case.join(name)] };
    let impact = Impact::exported(&path("before.json"), &path("after.json"), None).unwrap();
    let mut replay = impact.begin();
    let mut records = Records::new(Drip(text, pieces), 0);
    let (mut chunks, mut last) = (0, None);
    while let Some(chunk) = records.next_chunk() {
        replay.take(&chunk);
        chunks += 1;
        assert!(chunks < 10_000, "it never ends: {last:?}");
        last = Some(format!("{chunk:?}"));
    }
    match replay.finish() {
        Ok(tally) => (tally.sign_ins, tally.bad.values().sum()),
        Err(capol::ops::impact::ImpactError::NoSignIns { lines }) => (0, lines),
        Err(error) => panic!("{error}"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_log_that_is_cut_anywhere_is_counted_and_told_of(
        at in 0.0..1.0_f64,
        shape in 0..5_usize,
        pieces in prop_oneof![Just(1_usize), 2..100_usize, Just(100_000)],
    ) {
        let sign_ins = sign_ins();
        let text = match shape {
            0 => lines(&sign_ins),
            1 => json!({ "value": sign_ins }).to_string(),
            2 => format!("{:#}", json!({ "@odata.count": 9, "value": sign_ins })),
            3 => json!(sign_ins).to_string(),
            _ => lines(&sign_ins.iter().map(exported).collect::<Vec<_>>()),
        };
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss, reason = "a place")]
        let cut = (text.len() as f64 * at) as usize;
        let (good, bad) = every_record_is_accounted_for(&text.as_bytes()[..cut], pieces);
        prop_assert!(good <= 9);
        // Cut between two lines nothing shows; anywhere else it does.
        let ends_whole = cut == 0 || (matches!(shape, 0 | 4) && (text.as_bytes()[cut - 1] == b'\n' || text.as_bytes()[cut] == b'\n'));
        prop_assert_eq!(bad, u64::from(!ends_whole), "{} of {}", cut, text.len());
    }

    #[test]
    fn no_bytes_make_it_fail(bytes in prop::collection::vec(any::<u8>(), 0..300), pieces in 1..50_usize) {
        every_record_is_accounted_for(&bytes, pieces);
    }

    #[test]
    fn no_damage_makes_it_fail(at in 0..6000_usize, byte in prop::sample::select(b"{}[]\",:\\ \n0x".to_vec()), shape in 0..3_usize) {
        let sign_ins = sign_ins();
        let mut text = match shape {
            0 => lines(&sign_ins),
            1 => json!({ "value": sign_ins }).to_string(),
            _ => format!("{:#}", json!(sign_ins)),
        }
        .into_bytes();
        let at = at % text.len();
        text[at] = byte;
        let (good, bad) = every_record_is_accounted_for(&text, 1000);
        prop_assert!(good + bad > 0);
    }
}
