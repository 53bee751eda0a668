//! Collections, page by page.

use super::client::{Graph, body, incomplete};
use super::error::GraphError;
use super::request::Request;
use serde_json::Value;
use std::collections::BTreeSet;
use url::Url;

/// The pages of one collection.
pub struct Pages {
    graph: Graph,
    request: Request,
    next: Next,
    seen: BTreeSet<String>,
}

enum Next {
    First,
    Link(Url),
    End,
}

impl Pages {
    pub(crate) fn new(graph: Graph, request: Request) -> Self {
        Self {
            graph,
            request,
            next: Next::First,
            seen: BTreeSet::new(),
        }
    }

    /// The pages after a first one that came by another way (inside a batch).
    pub(crate) fn after(graph: Graph, request: Request, link: &str) -> Result<Self, GraphError> {
        let mut pages = Self::new(graph, request);
        pages.next = Next::Link(pages.follow(link, None)?);
        Ok(pages)
    }

    /// How many pages were read.
    pub fn read(&self) -> usize {
        match self.next {
            Next::First => 0,
            Next::Link(_) => self.seen.len(),
            Next::End => self.seen.len() + 1,
        }
    }

    /// The next page, `None` after the last. A page without a `value` list, a link to another host and a link
    /// seen before are errors: a list is whole or it is not given at all.
    pub async fn next(&mut self) -> Result<Option<Vec<Value>>, GraphError> {
        let response = match &self.next {
            Next::End => return Ok(None),
            Next::First => self.graph.send(&self.request).await?,
            Next::Link(url) => self.graph.transport.send_to(&self.request, url.clone()).await?,
        };
        let request_id = response.request_id.clone();
        let mut page = body(&self.request, response)?;
        let Some(Value::Array(values)) = page.get_mut("value").map(Value::take) else {
            return Err(incomplete(
                &self.request,
                "a page has no `value` list",
                request_id,
            ));
        };
        self.next = match page.get("@odata.nextLink") {
            None | Some(Value::Null) => Next::End,
            Some(Value::String(link)) => Next::Link(self.follow(link, request_id)?),
            Some(_) => {
                return Err(incomplete(
                    &self.request,
                    "the link to the next page is not text",
                    request_id,
                ));
            }
        };
        Ok(Some(values))
    }

    fn follow(&mut self, link: &str, request_id: Option<String>) -> Result<Url, GraphError> {
        let root = self.graph.endpoints().graph_root();
        let url = root.join(link).map_err(|_| {
            incomplete(
                &self.request,
                "the link to the next page is no address",
                request_id.clone(),
            )
        })?;
        if url.origin() != root.origin() {
            let host = url.host_str().unwrap_or("none").to_owned();
            return Err(GraphError::ForeignPage {
                call: self.request.call(),
                host,
            });
        }
        if !self.seen.insert(url.to_string()) {
            return Err(GraphError::PageLoop {
                call: self.request.call(),
                pages: self.seen.len() + 1,
                request_id: request_id.unwrap_or_else(|| "none".to_owned()),
            });
        }
        Ok(url)
    }
}
