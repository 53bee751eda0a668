//! The syntax tree: everything that was written, comments included, without
//! judging what it means.

use super::span::Span;

/// The items of a file, or of a block between its braces.
#[derive(Debug, Clone, PartialEq)]
pub struct Body {
    /// A comment on the line of the opening brace.
    pub opening: Option<Box<Comment>>,
    /// Attributes and blocks in the order written.
    pub items: Vec<Item>,
    /// Comments after the last item.
    pub comments: Vec<Comment>,
    /// The text between the braces, or the whole file.
    pub span: Span,
}

/// One attribute or block with the comments that belong to it.
#[derive(Debug, Clone, PartialEq)]
pub struct Item {
    /// Whether an empty line stands before the item and its comments.
    pub blank_before: bool,
    /// Comments on the lines above.
    pub comments: Vec<Comment>,
    /// The attribute or block.
    pub kind: ItemKind,
    /// A comment on the item's last line.
    pub trailing: Option<Box<Comment>>,
}

/// What an item is.
#[derive(Debug, Clone, PartialEq)]
pub enum ItemKind {
    /// `name = value`
    Attribute(Attribute),
    /// `kind "label" { … }`
    Block(Block),
}

/// `name = value`
#[derive(Debug, Clone, PartialEq)]
pub struct Attribute {
    /// What is set.
    pub name: Ident,
    /// To what.
    pub value: Expression,
    /// From the name to the end of the value.
    pub span: Span,
}

/// `kind "label" { … }`
#[derive(Debug, Clone, PartialEq)]
pub struct Block {
    /// The word that says what block it is.
    pub kind: Ident,
    /// The names after it.
    pub labels: Vec<Label>,
    /// What stands between the braces.
    pub body: Body,
    /// Whether it was written on one line: `a { b = 1, c = 2 }`.
    pub one_line: bool,
    /// From the kind to the last label: what a message about the block underlines.
    pub header: Span,
    /// From `{` to `}`.
    pub braces: Span,
    /// The whole block.
    pub span: Span,
}

/// A name after a block's kind.
#[derive(Debug, Clone, PartialEq)]
pub struct Label {
    /// The name itself, escapes resolved.
    pub text: String,
    /// Whether it was written in quotes.
    pub quoted: bool,
    /// With its quotes.
    pub span: Span,
}

/// An identifier where it was written.
#[derive(Debug, Clone, PartialEq)]
pub struct Ident {
    /// The identifier.
    pub text: String,
    /// Where.
    pub span: Span,
}

/// A comment as written.
#[derive(Debug, Clone, PartialEq)]
pub struct Comment {
    /// The text with its marker: `# …`, `// …` or `/* … */`.
    pub text: String,
    /// Whether an empty line stands before it.
    pub blank_before: bool,
    /// Where.
    pub span: Span,
}

impl Comment {
    /// Whether the comment is a `/* … */` one on a single line, which other text may follow.
    pub fn is_inline(&self) -> bool {
        self.text.starts_with("/*") && !self.text.contains('\n')
    }
}

/// An expression and where it was written.
#[derive(Debug, Clone, PartialEq)]
pub struct Expression {
    /// What it is.
    pub kind: ExpressionKind,
    /// Where.
    pub span: Span,
}

/// What an expression is.
#[derive(Debug, Clone, PartialEq)]
pub enum ExpressionKind {
    /// `null`
    Null,
    /// `true`, `false`
    Bool(bool),
    /// `42`, `0.5`, `1e3`; a minus sign before it is a unary operator.
    Number(Number),
    /// `4h`
    Duration(Duration),
    /// `10%`
    Percent(Number),
    /// `"text ${expression}"`
    String(Template),
    /// `<<EOT … EOT`
    Heredoc(Heredoc),
    /// A bare word: a symbol, or the first word of a reference.
    Name(String),
    /// `[a, b]`
    List(Sequence<Expression>),
    /// `{ a = 1, "b" = 2, (c) = 3 }`
    Object(Sequence<Entry>),
    /// `!a`, `-a`
    Unary(UnaryOperator, Box<Expression>),
    /// `a + b`
    Binary(Box<Binary>),
    /// `a ? b : c`
    Conditional(Box<Conditional>),
    /// `name(a, b, named = c, rest...)`
    Call(Box<Call>),
    /// `a.name`
    Attribute(Box<Expression>, Ident),
    /// `a[b]`
    Index(Box<Expression>, Box<Expression>),
    /// `a.0`, the index as written
    LegacyIndex(Box<Expression>, String),
    /// `a[*].b`, `a.*.b`
    Splat(Box<Splat>),
    /// `[for x in xs : f(x) if c]`
    ForList(Box<ForList>),
    /// `{ for k, v in xs : k => v... if c }`
    ForObject(Box<ForObject>),
    /// `(a)`
    Parenthesised(Box<Expression>, Layout),
    /// What could not be read; an error says why. Evaluates to nothing that is reported again.
    Error,
}

/// A number as written.
#[derive(Debug, Clone, PartialEq)]
pub struct Number {
    /// The digits, with fraction and exponent if any, without sign.
    pub text: String,
}

impl Number {
    /// Its value when it is a whole number that fits.
    pub fn as_i64(&self) -> Option<i64> {
        self.text.parse().ok()
    }

    /// Its nearest value.
    pub fn as_f64(&self) -> f64 {
        self.text.parse().unwrap_or(f64::NAN)
    }
}

/// A duration in the unit it was written in: `1d` and `24h` differ on the wire.
#[derive(Debug, Clone, PartialEq)]
pub struct Duration {
    /// How many of the unit.
    pub amount: Number,
    /// The unit.
    pub unit: DurationUnit,
}

/// A unit of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DurationUnit {
    /// `s`
    Seconds,
    /// `m`
    Minutes,
    /// `h`
    Hours,
    /// `d`
    Days,
    /// `w`
    Weeks,
}

impl DurationUnit {
    /// Every unit, shortest first.
    pub const ALL: [Self; 5] = [Self::Seconds, Self::Minutes, Self::Hours, Self::Days, Self::Weeks];

    /// The letter after the amount.
    pub fn letter(self) -> &'static str {
        match self {
            Self::Seconds => "s",
            Self::Minutes => "m",
            Self::Hours => "h",
            Self::Days => "d",
            Self::Weeks => "w",
        }
    }

    /// How many seconds one of it lasts.
    pub fn seconds(self) -> i64 {
        match self {
            Self::Seconds => 1,
            Self::Minutes => 60,
            Self::Hours => 3_600,
            Self::Days => 86_400,
            Self::Weeks => 604_800,
        }
    }
}

/// Text with expressions in it.
#[derive(Debug, Clone, PartialEq)]
pub struct Template {
    /// Its parts; two literals never stand side by side.
    pub parts: Vec<TemplatePart>,
}

impl Template {
    /// The text, when no expression is in it.
    pub fn plain(&self) -> Option<&str> {
        match self.parts.as_slice() {
            [] => Some(""),
            [TemplatePart::Literal(literal)] => Some(&literal.value),
            _ => None,
        }
    }
}

/// A part of a template.
#[derive(Debug, Clone, PartialEq)]
pub enum TemplatePart {
    /// Text.
    Literal(Literal),
    /// `${expression}`
    Interpolation(Expression),
}

/// Text in a template.
#[derive(Debug, Clone, PartialEq)]
pub struct Literal {
    /// What it means, escapes resolved.
    pub value: String,
    /// How it was written, where that is not how the formatter would write the value.
    pub written: Option<String>,
}

/// A template over several lines.
#[derive(Debug, Clone, PartialEq)]
pub struct Heredoc {
    /// Whether it was opened by `<<-`: common indentation is not part of the value.
    pub indented: bool,
    /// The word that ends it.
    pub marker: String,
    /// Its value, indentation removed and line ends as `\n`; ends in a newline unless empty.
    pub template: Template,
}

/// The elements between two brackets with the comments around them.
#[derive(Debug, Clone, PartialEq)]
pub struct Sequence<T> {
    /// A comment on the line of the opening bracket.
    pub opening: Option<Box<Comment>>,
    /// The elements.
    pub elements: Vec<Element<T>>,
    /// Comments after the last element.
    pub comments: Vec<Comment>,
    /// How it was written.
    pub layout: Layout,
}

impl<T> Sequence<T> {
    /// The elements without the comments around them.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &T> {
        self.elements.iter().map(|element| &element.value)
    }

    /// Whether there is no element.
    pub fn is_empty(&self) -> bool {
        self.elements.is_empty()
    }
}

/// One element with the comments that belong to it.
#[derive(Debug, Clone, PartialEq)]
pub struct Element<T> {
    /// Whether an empty line stands before it and its comments.
    pub blank_before: bool,
    /// Comments before it.
    pub comments: Vec<Comment>,
    /// The element.
    pub value: T,
    /// A comment after it, on its last line.
    pub trailing: Option<Box<Comment>>,
}

/// How something between brackets was written, which the formatter keeps where it can.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layout {
    /// Made by code: on one line if short.
    Automatic,
    /// The first element stands on the line of the opening bracket.
    Inline,
    /// A line break follows the opening bracket.
    Broken,
}

/// `key = value` in an object.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// The key.
    pub key: EntryKey,
    /// The value.
    pub value: Expression,
}

/// The key of an object's entry.
#[derive(Debug, Clone, PartialEq)]
pub enum EntryKey {
    /// A bare word, which stands for itself.
    Name(Ident),
    /// A string, number or `(expression)`.
    Expression(Expression),
}

impl EntryKey {
    /// Where it was written.
    pub fn span(&self) -> Span {
        match self {
            Self::Name(name) => name.span,
            Self::Expression(expression) => expression.span,
        }
    }
}

/// An operator before its operand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnaryOperator {
    /// `!`
    Not,
    /// `-`
    Negate,
}

impl UnaryOperator {
    /// As written.
    pub fn symbol(self) -> &'static str {
        match self {
            Self::Not => "!",
            Self::Negate => "-",
        }
    }
}

/// An operator between two operands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BinaryOperator {
    /// `||`
    Or,
    /// `&&`
    And,
    /// `==`
    Equal,
    /// `!=`
    NotEqual,
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
    /// `+`
    Add,
    /// `-`
    Subtract,
    /// `*`
    Multiply,
    /// `/`
    Divide,
    /// `%`
    Modulo,
}

impl BinaryOperator {
    /// As written.
    pub fn symbol(self) -> &'static str {
        match self {
            Self::Or => "||",
            Self::And => "&&",
            Self::Equal => "==",
            Self::NotEqual => "!=",
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
            Self::Add => "+",
            Self::Subtract => "-",
            Self::Multiply => "*",
            Self::Divide => "/",
            Self::Modulo => "%",
        }
    }

    /// How tightly it binds: more is tighter. All are left-associative.
    pub fn precedence(self) -> u8 {
        match self {
            Self::Or => 1,
            Self::And => 2,
            Self::Equal | Self::NotEqual => 3,
            Self::Less | Self::LessOrEqual | Self::Greater | Self::GreaterOrEqual => 4,
            Self::Add | Self::Subtract => 5,
            Self::Multiply | Self::Divide | Self::Modulo => 6,
        }
    }
}

/// `left operator right`
#[derive(Debug, Clone, PartialEq)]
pub struct Binary {
    /// The operator.
    pub operator: BinaryOperator,
    /// Where the operator stands.
    pub operator_span: Span,
    /// The operand before it.
    pub left: Expression,
    /// The operand after it.
    pub right: Expression,
}

/// `condition ? yes : no`
#[derive(Debug, Clone, PartialEq)]
pub struct Conditional {
    /// What is asked.
    pub condition: Expression,
    /// The value when it holds.
    pub yes: Expression,
    /// The value when it does not.
    pub no: Expression,
}

/// `name(arguments)`
#[derive(Debug, Clone, PartialEq)]
pub struct Call {
    /// The function, look-up or constructor.
    pub name: Ident,
    /// What it is given, in the order written.
    pub arguments: Sequence<Argument>,
}

/// One argument of a call.
#[derive(Debug, Clone, PartialEq)]
pub struct Argument {
    /// The name, for `name = value`.
    pub name: Option<Ident>,
    /// The value.
    pub value: Expression,
    /// Whether `...` follows: the list's elements are the arguments.
    pub expand: bool,
}

/// `base[*].step.step`
#[derive(Debug, Clone, PartialEq)]
pub struct Splat {
    /// What is walked over.
    pub base: Expression,
    /// Which of the two was written.
    pub form: SplatForm,
    /// What is taken from each element. `.*` takes attributes only, as in HCL.
    pub steps: Vec<Step>,
}

/// The two spellings of a splat.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SplatForm {
    /// `.*`
    Attribute,
    /// `[*]`
    Full,
}

/// One step from each element of a splat.
#[derive(Debug, Clone, PartialEq)]
pub enum Step {
    /// `.name`
    Attribute(Ident),
    /// `[index]`
    Index(Expression),
    /// `.0`, as written
    LegacyIndex(String, Span),
}

/// The head of a `for` expression: `for key, value in collection`.
#[derive(Debug, Clone, PartialEq)]
pub struct ForIntro {
    /// The first of two names.
    pub key: Option<Ident>,
    /// The only or the second name.
    pub value: Ident,
    /// What is walked over.
    pub collection: Expression,
}

/// `[for x in xs : value if condition]`
#[derive(Debug, Clone, PartialEq)]
pub struct ForList {
    /// The head.
    pub intro: ForIntro,
    /// What each turn yields.
    pub value: Expression,
    /// Which turns yield.
    pub condition: Option<Expression>,
    /// How it was written.
    pub layout: Layout,
}

/// `{ for x in xs : key => value if condition }`
#[derive(Debug, Clone, PartialEq)]
pub struct ForObject {
    /// The head.
    pub intro: ForIntro,
    /// The key each turn yields.
    pub key: Expression,
    /// The value each turn yields.
    pub value: Expression,
    /// Whether `...` follows the value: values of equal keys make a list.
    pub grouping: bool,
    /// Which turns yield.
    pub condition: Option<Expression>,
    /// How it was written.
    pub layout: Layout,
}

impl Body {
    /// The attributes in the order written.
    pub fn attributes(&self) -> impl Iterator<Item = &Attribute> {
        self.items.iter().filter_map(|item| match &item.kind {
            ItemKind::Attribute(attribute) => Some(attribute),
            ItemKind::Block(_) => None,
        })
    }

    /// The blocks in the order written.
    pub fn blocks(&self) -> impl Iterator<Item = &Block> {
        self.items.iter().filter_map(|item| match &item.kind {
            ItemKind::Block(block) => Some(block),
            ItemKind::Attribute(_) => None,
        })
    }
}

impl Item {
    /// The attribute's or block's span, comments left out.
    pub fn span(&self) -> Span {
        match &self.kind {
            ItemKind::Attribute(attribute) => attribute.span,
            ItemKind::Block(block) => block.span,
        }
    }
}

impl Expression {
    /// The string, when it is one without interpolation.
    pub fn plain_string(&self) -> Option<&str> {
        match &self.kind {
            ExpressionKind::String(template) => template.plain(),
            ExpressionKind::Heredoc(heredoc) => heredoc.template.plain(),
            _ => None,
        }
    }

    /// The word, when it is a bare one.
    pub fn bare_word(&self) -> Option<&str> {
        match &self.kind {
            ExpressionKind::Name(name) => Some(name),
            _ => None,
        }
    }

    /// The words of a dotted path such as `policy.mfa` or `module.base.location`, first word first,
    /// each with its span; nothing for any other expression.
    pub fn path(&self) -> Option<Vec<(&str, Span)>> {
        match &self.kind {
            ExpressionKind::Name(name) => Some(vec![(name.as_str(), self.span)]),
            ExpressionKind::Attribute(base, name) => {
                let mut path = base.path()?;
                path.push((name.text.as_str(), name.span));
                Some(path)
            }
            _ => None,
        }
    }

    /// The expression inside any parentheses around it.
    pub fn unparenthesised(&self) -> &Self {
        let mut inner = self;
        while let ExpressionKind::Parenthesised(next, _) = &inner.kind {
            inner = next;
        }
        inner
    }
}
