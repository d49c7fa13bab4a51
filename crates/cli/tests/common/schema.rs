//! Are answers as `docs/json-schema.json` says? Knows the words of JSON Schema
//! that stand there, and no others.

use serde_json::{Map, Value};

/// What is wrong with an answer; stricter than the schema in one thing: a field
/// that it does not name is wrong too.
pub(crate) fn check(answer: &Value) -> Result<(), String> {
    let schema = include_str!("../../../../docs/json-schema.json");
    let schema: Value = serde_json::from_str(schema).unwrap();
    let named = answer["command"].as_str().filter(|_| answer["ok"] == true);
    let part = named.unwrap_or("refused");
    // Whichever it is, it is one of those that the schema lists.
    let part = serde_json::json!({"$ref": format!("#/$defs/{part}")});
    let listed = schema["oneOf"].as_array().unwrap();
    if !listed.contains(&part) {
        return Err(format!("docs/json-schema.json lacks {part}"));
    }
    let schema = Schema(&schema);
    schema.check(&part, answer, "answer")?;
    schema.all_named(&part, answer, "answer")
}

struct Schema<'a>(&'a Value);

impl Schema<'_> {
    fn refer(&self, place: &Value) -> &Value {
        let place = place.as_str().unwrap().strip_prefix('#').unwrap();
        self.0
            .pointer(place)
            .unwrap_or_else(|| panic!("no {place}"))
    }

    fn check(&self, schema: &Value, value: &Value, at: &str) -> Result<(), String> {
        for (word, wanted) in schema.as_object().unwrap() {
            if !self.agrees(word, wanted, value, at)? {
                return Err(format!("{at}: {value} is against {word}: {wanted}"));
            }
        }
        Ok(())
    }

    #[allow(
        clippy::match_same_arms,
        reason = "they are alike for different reasons"
    )]
    fn agrees(&self, word: &str, wanted: &Value, value: &Value, at: &str) -> Result<bool, String> {
        let count = |length: usize| u64::try_from(length).unwrap();
        let list = || wanted.as_array().unwrap();
        Ok(match (word, value) {
            ("description", _) => true,
            ("$ref", _) => {
                self.check(self.refer(wanted), value, at)?;
                true
            }
            ("allOf", _) => {
                for schema in list() {
                    self.check(schema, value, at)?;
                }
                true
            }
            ("anyOf", _) => list().iter().any(|one| self.check(one, value, at).is_ok()),
            ("const", _) => value == wanted,
            ("enum", _) => list().contains(value),
            ("type", _) => match wanted {
                Value::Array(types) => types.iter().any(|one| is(one, value)),
                one => is(one, value),
            },
            ("required", Value::Object(fields)) => list()
                .iter()
                .all(|name| fields.contains_key(name.as_str().unwrap())),
            ("properties", Value::Object(fields)) => {
                for (name, schema) in wanted.as_object().unwrap() {
                    if let Some(value) = fields.get(name) {
                        self.check(schema, value, &format!("{at}.{name}"))?;
                    }
                }
                true
            }
            ("items", Value::Array(values)) => {
                for value in values {
                    self.check(wanted, value, &format!("{at}[]"))?;
                }
                true
            }
            ("minItems", Value::Array(values)) => count(values.len()) >= wanted.as_u64().unwrap(),
            ("maxItems", Value::Array(values)) => count(values.len()) <= wanted.as_u64().unwrap(),
            ("minLength", Value::String(text)) => {
                count(text.chars().count()) >= wanted.as_u64().unwrap()
            }
            ("maxLength", Value::String(text)) => {
                count(text.chars().count()) <= wanted.as_u64().unwrap()
            }
            ("minimum", Value::Number(_)) => value.as_i64() >= wanted.as_i64(),
            ("maximum", Value::Number(_)) => value.as_i64() <= wanted.as_i64(),
            // Looked at by the panel's test, which has regular expressions.
            ("pattern", Value::String(_)) => true,
            // Words about values of another type say nothing.
            (
                "required" | "properties" | "items" | "minItems" | "maxItems" | "minLength"
                | "maxLength" | "minimum" | "maximum" | "pattern",
                _,
            ) => true,
            _ => panic!("no test knows the word {word}"),
        })
    }

    /// Every field of an object has a schema.
    fn all_named(&self, schema: &Value, value: &Value, at: &str) -> Result<(), String> {
        let mut known = Map::new();
        self.collect(schema, value, &mut known);
        match value {
            Value::Object(fields) => fields.iter().try_for_each(|(name, value)| {
                let at = format!("{at}.{name}");
                let schema = known
                    .get(name)
                    .ok_or(format!("{at} is not in the schema"))?;
                self.all_named(schema, value, &at)
            }),
            Value::Array(values) => values.iter().try_for_each(|value| {
                let schema = known.get("items").unwrap();
                self.all_named(schema, value, &format!("{at}[]"))
            }),
            _ => Ok(()),
        }
    }

    fn collect(&self, schema: &Value, value: &Value, known: &mut Map<String, Value>) {
        for (word, wanted) in schema.as_object().unwrap() {
            match word.as_str() {
                "$ref" => self.collect(self.refer(wanted), value, known),
                "allOf" | "anyOf" => {
                    let list = wanted.as_array().unwrap().iter();
                    for one in list.filter(|one| self.check(one, value, "").is_ok()) {
                        self.collect(one, value, known);
                    }
                }
                "properties" => known.extend(wanted.as_object().unwrap().clone()),
                "items" => {
                    known.insert("items".into(), wanted.clone());
                }
                _ => {}
            }
        }
    }
}

fn is(kind: &Value, value: &Value) -> bool {
    match kind.as_str().unwrap() {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64(),
        "string" => value.is_string(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        other => panic!("no test knows the type {other}"),
    }
}
