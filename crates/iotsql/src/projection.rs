//! The object a SELECT list builds, before it is written.
//!
//! Parts of the payload are borrowed until they are written, so selecting a large member copies it once.
//! <https://docs.aws.amazon.com/iot/latest/developerguide/iot-sql-select.html>

use crate::{Object, SqlVersion, Value, json};
use std::borrow::Cow;

/// Members in the order they were first selected. An item selected by name wins over the same key of `*`,
/// wherever the two stand.
#[derive(Debug, Default)]
pub(crate) struct Members<'a>(Vec<Member<'a>>);

#[derive(Debug)]
struct Member<'a> {
    key: Cow<'a, str>,
    node: Node<'a>,
    named: bool,
}

#[derive(Debug)]
enum Node<'a> {
    Value(Cow<'a, Value>),
    /// What aliases with the same head build together.
    Members(Members<'a>),
}

impl<'a> Members<'a> {
    /// `expr AS a.b`. A value that JSON cannot hold, Undefined above all, selects nothing.
    pub(crate) fn name(&mut self, alias: &'a [String], value: Cow<'a, Value>) {
        let Some((key, rest)) = alias.split_first() else { return };
        if !json::is_writable_member(&value) {
            return;
        }
        let place = self.place(key);
        let Some(member) = self.0.get_mut(place) else { return };
        member.named = true;
        if rest.is_empty() {
            member.node = Node::Value(value);
        } else {
            member.node.as_members().name(rest, value);
        }
    }

    /// `*` or `a.*`: the members of an object, and nothing of anything else.
    pub(crate) fn spread(&mut self, value: Cow<'a, Value>) {
        // Keys of one object are unique, so only what was there before can clash.
        let before = self.0.len();
        match value {
            Cow::Borrowed(Value::Object(object)) => {
                for (key, value) in object.iter() {
                    self.spread_member(before, Cow::Borrowed(key), Cow::Borrowed(value));
                }
            }
            Cow::Owned(Value::Object(object)) => {
                for (key, value) in object {
                    self.spread_member(before, Cow::Owned(key), Cow::Owned(value));
                }
            }
            _ => {}
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// Appends the object as JSON, or stops when `out` is longer than `bytes_max`.
    pub(crate) fn write(&self, version: SqlVersion, bytes_max: usize, out: &mut Vec<u8>) {
        out.push(b'{');
        for member in &self.0 {
            json::write_string(&member.key, out);
            out.push(b':');
            match &member.node {
                Node::Value(value) => json::write(value, version, out),
                Node::Members(members) => members.write(version, bytes_max, out),
            }
            if out.len() > bytes_max {
                return;
            }
            out.push(b',');
        }
        json::close(b'}', out);
    }

    pub(crate) fn into_value(self) -> Value {
        let members = self.0.into_iter().map(|member| {
            let value = match member.node {
                Node::Value(value) => value.into_owned(),
                Node::Members(members) => members.into_value(),
            };
            (member.key.into_owned(), value)
        });
        Value::Object(Object::from_members(members.collect()).0)
    }

    /// As [`Value::weight`], of what [`Members::into_value`] would give.
    pub(crate) fn weight(&self) -> usize {
        let weights = self.0.iter().map(|member| {
            member.key.len()
                + match &member.node {
                    Node::Value(value) => value.weight(),
                    Node::Members(members) => members.weight(),
                }
        });
        8 + weights.sum::<usize>()
    }

    fn spread_member(&mut self, before: usize, key: Cow<'a, str>, value: Cow<'a, Value>) {
        match self.0.iter_mut().take(before).find(|member| member.key == key) {
            Some(member) if member.named => {}
            Some(member) => member.node = Node::Value(value),
            None => self.0.push(Member { key, node: Node::Value(value), named: false }),
        }
    }

    /// Where `key` is, added if need be.
    fn place(&mut self, key: &'a str) -> usize {
        self.0.iter().position(|member| member.key == key).unwrap_or_else(|| {
            let node = Node::Value(Cow::Owned(Value::Undefined));
            self.0.push(Member { key: Cow::Borrowed(key), node, named: false });
            self.0.len() - 1
        })
    }
}

impl<'a> Node<'a> {
    /// The node as members that more can be added to; what is no object gives way to an empty one.
    fn as_members(&mut self) -> &mut Members<'a> {
        if let Node::Value(value) = self {
            let mut members = Members::default();
            members.spread(std::mem::replace(value, Cow::Owned(Value::Undefined)));
            *self = Node::Members(members);
        }
        match self {
            Node::Members(members) => members,
            Node::Value(_) => unreachable!("a value was replaced by members just above"),
        }
    }
}
