//! Numbers.

use super::{Arguments, Function, Outcome, Refusal, functions};
use crate::lang::value::{Number, Value};

pub(super) const FUNCTIONS: &[Function] = functions! { "numbers":
    "abs" (1) "abs(number)" "The number without its sign." = |a| near(a, f64::abs);
    "ceil" (1) "ceil(number)" "The next whole number that is not smaller." = |a| near(a, f64::ceil);
    "floor" (1) "floor(number)" "The next whole number that is not larger." = |a| near(a, f64::floor);
    "log" (2) "log(number, base)" "The logarithm of the number in this base." = |a| { let base = a.number(1)?.as_f64(); near(a, |number| number.log(base)) };
    "max" (1, any) "max(numbers…)" "The largest of the numbers." = |a| Ok(Value::Number(numbers(a)?.into_iter().max().unwrap_or(Number::Integer(0))));
    "min" (1, any) "min(numbers…)" "The smallest of the numbers." = |a| Ok(Value::Number(numbers(a)?.into_iter().min().unwrap_or(Number::Integer(0))));
    "parseint" (2) "parseint(string, base)" "The whole number that the string spells in a base from 2 to 36." = parseint;
    "pow" (2) "pow(number, exponent)" "The number to this power." = |a| { let exponent = a.number(1)?.as_f64(); near(a, |number| number.powf(exponent)) };
    "signum" (1) "signum(number)" "-1, 0 or 1, by the sign of the number." = |a| Ok(Value::integer(match a.number(0)?.cmp(&Number::Integer(0)) {
        std::cmp::Ordering::Less => -1,
        std::cmp::Ordering::Equal => 0,
        std::cmp::Ordering::Greater => 1,
    }));
};

fn near(arguments: &Arguments<'_>, compute: impl Fn(f64) -> f64) -> Outcome {
    Number::from_f64(compute(arguments.number(0)?.as_f64()))
        .map(Value::Number)
        .ok_or_else(|| {
            Refusal::whole(
                format!("`{}` has no answer for these numbers", arguments.name),
                "give numbers for which the result is finite",
            )
        })
}

fn numbers(arguments: &Arguments<'_>) -> Result<Vec<Number>, Refusal> {
    (0..arguments.count())
        .map(|index| arguments.number(index))
        .collect()
}

fn parseint(arguments: &Arguments<'_>) -> Outcome {
    let text = arguments.text(0)?;
    let base = u32::try_from(arguments.integer(1)?)
        .ok()
        .filter(|base| (2..=36).contains(base))
        .ok_or_else(|| arguments.wrong(1, "a base from 2 to 36"))?;
    i64::from_str_radix(&text, base).map(Value::integer).map_err(|_| {
        Refusal::of(
            0,
            format!("`{text}` is not a whole number in base {base}"),
            "give digits of that base only",
        )
    })
}
