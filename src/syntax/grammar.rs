//! The rules of `grammar/capol.pest`, and what a person would type for each.

/// The derived parser, alone in a module because the derive writes public items.
mod derived {
    /// Reads text by the rules of the grammar.
    #[derive(pest_derive::Parser)]
    #[grammar = "../grammar/capol.pest"]
    pub(crate) struct CapolParser;
}

pub(super) use derived::{CapolParser, Rule};

/// What to ask for where an operator could stand.
pub(super) const OPERATOR: &str = "an operator";

/// What to ask for where a rule was expected; nothing where asking would only add noise.
pub(super) fn expectation(rule: Rule) -> Option<&'static str> {
    match rule {
        Rule::statement | Rule::attribute | Rule::odd_attribute | Rule::block | Rule::body => {
            Some("an attribute or a block")
        }
        Rule::identifier | Rule::header => Some("a name"),
        Rule::label => Some("a label"),
        Rule::assign => Some("`=`"),
        Rule::expression
        | Rule::wrapped
        | Rule::operand
        | Rule::named
        | Rule::quantity
        | Rule::number
        | Rule::string
        | Rule::list
        | Rule::object
        | Rule::for_list
        | Rule::for_object
        | Rule::parenthesised
        | Rule::heredoc => Some("a value"),
        Rule::operator => Some(OPERATOR),
        Rule::argument | Rule::one_argument => Some("an argument"),
        Rule::entry | Rule::one_entry | Rule::key => Some("a key"),
        Rule::in_keyword => Some("`in`"),
        Rule::if_clause | Rule::if_keyword => Some("`if`"),
        Rule::line_end | Rule::heredoc_break | Rule::EOI => Some("a line break"),
        Rule::open_brace => Some("`{`"),
        Rule::close_brace => Some("`}`"),
        Rule::close_bracket => Some("`]`"),
        Rule::close_parenthesis => Some("`)`"),
        Rule::comma => Some("`,`"),
        Rule::colon => Some("`:`"),
        Rule::arrow => Some("`=>`"),
        Rule::close_quote => Some("`\"`"),
        Rule::heredoc_end | Rule::marker => Some("the heredoc's end marker"),
        // What may follow almost everything, spellings of other languages, and insides of tokens.
        Rule::question
        | Rule::for_keyword
        | Rule::for_intro
        | Rule::digits
        | Rule::prefix
        | Rule::access
        | Rule::legacy_index
        | Rule::attribute_splat
        | Rule::full_splat
        | Rule::index
        | Rule::arguments
        | Rule::argument_name
        | Rule::expand
        | Rule::odd_key
        | Rule::odd_name
        | Rule::odd_string
        | Rule::suffix
        | Rule::percent
        | Rule::string_text
        | Rule::escaped_open
        | Rule::escape
        | Rule::interpolation
        | Rule::dash
        | Rule::heredoc_text
        | Rule::WHITESPACE
        | Rule::COMMENT
        | Rule::line_comment
        | Rule::block_comment
        | Rule::line_break
        | Rule::item
        | Rule::primary
        | Rule::postfix
        | Rule::separator
        | Rule::identifier_start
        | Rule::identifier_part
        | Rule::string_part
        | Rule::heredoc_line
        | Rule::heredoc_part => None,
    }
}
