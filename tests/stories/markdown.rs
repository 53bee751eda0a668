//! As much of Markdown as a story needs: fenced blocks and the comments that steer it.

use std::fmt;

/// A page, in the order in which it is read. Printing it gives the page back.
#[derive(Clone)]
pub(super) struct Page {
    pub(super) parts: Vec<Part>,
}

#[derive(Clone)]
pub(super) enum Part {
    /// Lines that a story passes over.
    Text(String),
    /// `<!-- project: examples/quickstart -->`
    Project(String),
    /// `<!-- run: capol apply --yes -->`
    Run(String),
    /// A fenced block.
    Block(Block),
}

#[derive(Clone)]
pub(super) struct Block {
    /// What stands behind the fence.
    pub(super) info: String,
    /// The file that the block is, from `title="…"`.
    pub(super) title: Option<String>,
    /// The lines inside, each with its end.
    pub(super) body: String,
    /// The line of the page at which it begins, counted from 1.
    pub(super) line: usize,
}

impl Block {
    /// The first word behind the fence.
    pub(super) fn language(&self) -> &str {
        self.info.split([' ', ',']).next().unwrap_or_default()
    }

    /// Whether a word stands behind the language: ```` ```capol,validate ````.
    pub(super) fn is_marked(&self, mark: &str) -> bool {
        self.info.split([' ', ',']).skip(1).any(|word| word == mark)
    }
}

impl Page {
    pub(super) fn of(text: &str) -> Self {
        let mut parts = Vec::new();
        let mut open: Option<Block> = None;
        for (index, line) in text.split_inclusive('\n').enumerate() {
            let bare = line.trim_end();
            match (&mut open, bare.strip_prefix("```")) {
                (Some(_), Some("")) => parts.extend(open.take().map(Part::Block)),
                (Some(block), _) => block.body.push_str(line),
                (None, Some(info)) => {
                    open = Some(Block {
                        info: info.to_owned(),
                        title: between(info, "title=\"", "\""),
                        body: String::new(),
                        line: index + 1,
                    });
                }
                (None, None) => {
                    let steers = |what: &str| between(bare, &format!("<!-- {what}: "), " -->");
                    let part = steers("project")
                        .map(Part::Project)
                        .or(steers("run").map(Part::Run));
                    match (part, parts.last_mut()) {
                        (Some(part), _) => parts.push(part),
                        (None, Some(Part::Text(text))) => text.push_str(line),
                        (None, _) => parts.push(Part::Text(line.to_owned())),
                    }
                }
            }
        }
        assert!(open.is_none(), "a fenced block is not closed");
        Self { parts }
    }

    pub(super) fn blocks(&self) -> impl Iterator<Item = &Block> {
        self.parts.iter().filter_map(|part| match part {
            Part::Block(block) => Some(block),
            _ => None,
        })
    }
}

impl fmt::Display for Page {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for part in &self.parts {
            match part {
                Part::Text(text) => f.write_str(text)?,
                Part::Project(from) => writeln!(f, "<!-- project: {from} -->")?,
                Part::Run(command) => writeln!(f, "<!-- run: {command} -->")?,
                Part::Block(block) => write!(f, "```{}\n{}```\n", block.info, block.body)?,
            }
        }
        Ok(())
    }
}

fn between(text: &str, before: &str, after: &str) -> Option<String> {
    let (_, rest) = text.split_once(before)?;
    rest.split_once(after).map(|(inside, _)| inside.to_owned())
}
