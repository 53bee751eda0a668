//! A log file as text, whatever it is packed in.

use std::fs::File;
use std::io::{BufRead as _, BufReader, Read};
use std::path::Path;

use flate2::read::MultiGzDecoder;
use ruzstd::decoding::StreamingDecoder;

use super::ImpactError;
use crate::ops::OpsError;

/// Opens a log; gzip and Zstandard are told by how they begin.
pub(in crate::ops) fn open(path: &Path) -> Result<Box<dyn Read + Send>, ImpactError> {
    let failed = |source| OpsError::File {
        path: path.to_owned(),
        source,
    };
    let mut reader = BufReader::with_capacity(256 * 1024, File::open(path).map_err(failed)?);
    let beginning = reader.fill_buf().map_err(failed)?;
    if beginning.starts_with(&[0x1f, 0x8b]) {
        return text(path, MultiGzDecoder::new(reader));
    }
    if beginning.starts_with(&[0x28, 0xb5, 0x2f, 0xfd]) {
        return text(path, Frames::new(reader));
    }
    if beginning.starts_with(b"PAR1") {
        return Err(ImpactError::Parquet {
            path: path.to_owned(),
        });
    }
    text(path, reader)
}

/// Refuses UTF-16, which would look like one line that is no JSON.
fn text<R: Read + Send + 'static>(path: &Path, from: R) -> Result<Box<dyn Read + Send>, ImpactError> {
    let mut reader = BufReader::with_capacity(256 * 1024, from);
    // A file that can't be unpacked is told of when it is read.
    let beginning = reader.fill_buf().unwrap_or_default();
    if beginning.starts_with(&[0xff, 0xfe]) || beginning.starts_with(&[0xfe, 0xff]) {
        return Err(ImpactError::Encoding {
            path: path.to_owned(),
        });
    }
    Ok(Box::new(reader))
}

/// The frames of a Zstandard file, one after the other.
struct Frames<R: Read> {
    state: Option<State<R>>,
}

enum State<R: Read> {
    Between(R),
    Within(Box<StreamingDecoder<R, ruzstd::decoding::FrameDecoder>>),
}

impl<R: Read> Frames<R> {
    fn new(from: R) -> Self {
        Self {
            state: Some(State::Between(from)),
        }
    }
}

impl<R: std::io::BufRead> Read for Frames<R> {
    fn read(&mut self, bytes: &mut [u8]) -> std::io::Result<usize> {
        loop {
            match self.state.take() {
                None => return Ok(0),
                Some(State::Between(mut from)) => {
                    if from.fill_buf()?.is_empty() {
                        return Ok(0);
                    }
                    let decoder = StreamingDecoder::new(from).map_err(std::io::Error::other)?;
                    self.state = Some(State::Within(Box::new(decoder)));
                }
                Some(State::Within(mut decoder)) => match decoder.read(bytes)? {
                    0 if !bytes.is_empty() => self.state = Some(State::Between(decoder.into_inner())),
                    read => {
                        self.state = Some(State::Within(decoder));
                        return Ok(read);
                    }
                },
            }
        }
    }
}
