//! A stricter JSON reader: it refuses an object with a repeated key. Readers disagree on which of the two values counts, so a
//! person could approve one, and a program carry out the other.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

/// Reads one JSON document.
pub(super) fn read(bytes: &[u8]) -> Result<Value, serde_json::Error> {
    serde_json::from_slice(bytes).map(|Strict(value)| value)
}

/// The largest integer that canonical JSON distinguishes from its neighbours (RFC 8785, section 3.2.2.3): beyond it, plans
/// with different numbers could have the same digest.
const MAX_INTEGER: u64 = 1 << 53;

fn integer<E: Error>(size: u64, value: Value) -> Result<Value, E> {
    match size {
        0..=MAX_INTEGER => Ok(value),
        _ => Err(E::custom(format_args!("the number {value} is too large"))),
    }
}

/// A value without repeated keys.
struct Strict(Value);

impl<'de> Deserialize<'de> for Strict {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Reader).map(Self)
    }
}

struct Reader;

impl<'de> Visitor<'de> for Reader {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Value, E> {
        integer(value.unsigned_abs(), value.into())
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        integer(value, value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Value, A::Error> {
        let mut values = Vec::new();
        while let Some(Strict(value)) = list.next_element()? {
            values.push(value);
        }
        Ok(Value::Array(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Value, A::Error> {
        let mut values = Map::new();
        while let Some(key) = object.next_key::<String>()? {
            if values.contains_key(&key) {
                return Err(A::Error::custom(format_args!(
                    "the key {key:?} is repeated"
                )));
            }
            let Strict(value) = object.next_value()?;
            values.insert(key, value);
        }
        Ok(Value::Object(values))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_repeats_no_key_is_read_as_usual() {
        let text =
            r#"{"a": [1, -2, 3.5, null, true, "x\n"], "b": {"a": {}}, "c": [{"d": 1}, {"d": 1}]}"#;
        let usual: Value = serde_json::from_str(text).expect("JSON");
        assert_eq!(read(text.as_bytes()).expect("JSON"), usual);
    }

    #[test]
    fn what_readers_disagree_on_is_refused_with_its_place() {
        for (text, says) in [
            (
                "9007199254740993",
                "the number 9007199254740993 is too large",
            ),
            (
                "-9007199254740993",
                "the number -9007199254740993 is too large",
            ),
            ("[18446744073709551615]", "is too large at line 1"),
            (
                "[{\"b\": 1,\n \"b\": 1}]",
                "the key \"b\" is repeated at line 2",
            ),
        ] {
            let error = read(text.as_bytes()).expect_err(text).to_string();
            assert!(error.contains(says), "{error}");
        }
        assert!(read(b"9007199254740992").is_ok());
    }
}
