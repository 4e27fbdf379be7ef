//! Many topic filters at once: which of them match a topic name.
//!
//! A tree by levels, with `+` and `#` beside the named children. A lookup visits, at each level, the child of
//! that name and the `+` child, so its cost does not grow with the number of filters that do not match.
//!
//! 1. The tree is at most `TOPIC_SLASHES_MAX + 1` levels deep (a `#` is kept at its parent), since a
//!    [`TopicFilter`] is; so recursion is bounded.
//! 2. No node is empty: removing the last value of a filter removes the nodes that only it needed.
//! 3. It matches exactly what [`crate::topic::matches`] matches (tested as a property).

use std::collections::HashMap;
use std::hash::Hash;

use crate::topic::{MultiLevel, TopicFilter, is_reserved};

/// Filters, each with values by key: a subscriber and its options, or a rule's name.
///
/// Keys make subscribing again replace, and unsubscribing cheap, however many share a filter. A shared
/// subscription is kept under its filter without `$share/NAME/`; put the share name into the key.
#[derive(Debug)]
pub struct TopicTrie<K, V = ()> {
    root: Node<K, V>,
    multi_level: MultiLevel,
    len: usize,
}

#[derive(Debug)]
struct Node<K, V> {
    children: HashMap<Box<str>, Node<K, V>>,
    plus: Option<Box<Node<K, V>>>,
    /// Of filters that end here.
    values: HashMap<K, V>,
    /// Of filters whose `#` stands below here.
    hash_values: HashMap<K, V>,
}

impl<K, V> Default for Node<K, V> {
    fn default() -> Self {
        Self { children: HashMap::new(), plus: None, values: HashMap::new(), hash_values: HashMap::new() }
    }
}

impl<K, V> Node<K, V> {
    fn is_empty(&self) -> bool {
        self.children.is_empty()
            && self.plus.is_none()
            && self.values.is_empty()
            && self.hash_values.is_empty()
    }
}

impl<K: Eq + Hash, V> TopicTrie<K, V> {
    pub fn new(multi_level: MultiLevel) -> Self {
        Self { root: Node::default(), multi_level, len: 0 }
    }

    /// Pairs of filter and key.
    pub fn len(&self) -> usize {
        self.len
    }

    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Returns the value that was there for this filter and key.
    pub fn insert(&mut self, filter: &TopicFilter, key: K, value: V) -> Option<V> {
        let mut node = &mut self.root;
        let mut values = None;
        for level in filter.filter().split('/') {
            match level {
                "#" => {
                    values = Some(&mut node.hash_values);
                    break;
                }
                "+" => node = node.plus.get_or_insert_default(),
                _ => {
                    // Looked up first, so that an existing child costs no allocation.
                    if !node.children.contains_key(level) {
                        node.children.insert(Box::from(level), Node::default());
                    }
                    node = node.children.get_mut(level).expect("it is there or was just inserted");
                }
            }
        }
        let replaced = values.unwrap_or(&mut node.values).insert(key, value);
        self.len += usize::from(replaced.is_none());
        replaced
    }

    pub fn remove(&mut self, filter: &TopicFilter, key: &K) -> Option<V> {
        let removed = remove(&mut self.root, Some(filter.filter()), key);
        self.len -= usize::from(removed.is_some());
        removed
    }

    /// Calls `found` for each filter and key that matches the topic name, in no order. A key with several
    /// matching filters is found once for each.
    pub fn matches<'a>(&'a self, topic: &str, mut found: impl FnMut(&'a K, &'a V)) {
        if is_reserved(topic) {
            let (level, rest) = split_level(topic);
            if let Some(child) = self.root.children.get(level) {
                self.visit(child, rest, &mut found);
            }
        } else {
            self.visit(&self.root, Some(topic), &mut found);
        }
    }

    fn visit<'a>(&self, node: &'a Node<K, V>, topic: Option<&str>, found: &mut impl FnMut(&'a K, &'a V)) {
        let Some(topic) = topic else {
            node.values.iter().for_each(|(key, value)| found(key, value));
            if self.multi_level == MultiLevel::ParentAndChildren {
                node.hash_values.iter().for_each(|(key, value)| found(key, value));
            }
            return;
        };
        node.hash_values.iter().for_each(|(key, value)| found(key, value));
        let (level, rest) = split_level(topic);
        if let Some(child) = node.children.get(level) {
            self.visit(child, rest, found);
        }
        if let Some(plus) = &node.plus {
            self.visit(plus, rest, found);
        }
    }
}

fn split_level(topic: &str) -> (&str, Option<&str>) {
    match topic.split_once('/') {
        Some((level, rest)) => (level, Some(rest)),
        None => (topic, None),
    }
}

/// Removes below `node` and prunes on the way back (invariant 2).
fn remove<K: Eq + Hash, V>(node: &mut Node<K, V>, filter: Option<&str>, key: &K) -> Option<V> {
    let Some(filter) = filter else { return node.values.remove(key) };
    let (level, rest) = split_level(filter);
    match level {
        "#" => node.hash_values.remove(key),
        "+" => {
            let plus = node.plus.as_mut()?;
            let removed = remove(plus, rest, key);
            if plus.is_empty() {
                node.plus = None;
            }
            removed
        }
        _ => {
            let child = node.children.get_mut(level)?;
            let removed = remove(child, rest, key);
            if child.is_empty() {
                node.children.remove(level);
            }
            removed
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::topic;

    fn found(trie: &TopicTrie<u8, u8>, topic: &str) -> Vec<(u8, u8)> {
        let mut all = Vec::new();
        trie.matches(topic, |&key, &value| all.push((key, value)));
        all.sort_unstable();
        all
    }

    fn filter(text: &str) -> TopicFilter {
        TopicFilter::parse(text).unwrap()
    }

    #[test]
    fn subscribing_again_replaces_and_unsubscribing_prunes() {
        let mut trie = TopicTrie::new(MultiLevel::Children);
        assert_eq!(trie.insert(&filter("a/+/#"), 1, 0), None);
        assert_eq!(trie.insert(&filter("a/+/#"), 1, 1), Some(0));
        assert_eq!(trie.insert(&filter("a/b"), 1, 2), None);
        assert_eq!(trie.len(), 2);
        assert_eq!(found(&trie, "a/b/c"), [(1, 1)]);
        assert_eq!(trie.remove(&filter("a/+"), &1), None);
        assert_eq!(trie.remove(&filter("a/+/#"), &2), None);
        assert_eq!(trie.remove(&filter("a/+/#"), &1), Some(1));
        assert_eq!(trie.remove(&filter("a/b"), &1), Some(2));
        assert!(trie.is_empty() && trie.root.is_empty());
    }

    #[test]
    fn a_shared_subscription_is_found_by_its_filter() {
        let mut trie = TopicTrie::new(MultiLevel::Children);
        trie.insert(&filter("$share/g/a/#"), 7, 0);
        assert_eq!(found(&trie, "a/b"), [(7, 0)]);
        assert_eq!(found(&trie, "$share/g/a/b"), []);
    }

    #[test]
    fn cve_2018_12543_topics_of_dollar_and_slashes_alone() {
        let mut trie = TopicTrie::new(MultiLevel::ParentAndChildren);
        for (key, text) in ["#", "+/#", "$", "$/#", "///////"].into_iter().enumerate() {
            trie.insert(&filter(text), key as u8, 0);
        }
        assert_eq!(found(&trie, "$"), [(2, 0), (3, 0)]);
        assert_eq!(found(&trie, "///////"), [(0, 0), (1, 0), (4, 0)]);
    }

    #[test]
    fn cve_2017_7654_a_topic_of_32_k_levels_is_only_looked_at() {
        let mut trie = TopicTrie::new(MultiLevel::Children);
        trie.insert(&filter("+/+/+/+/+/+/+/#"), 1, 0);
        assert_eq!(found(&trie, &"/".repeat(32_767)), [(1, 0)]);
    }

    fn level() -> impl Strategy<Value = &'static str> {
        prop::sample::select(vec!["a", "b", "", "$x", "ab"])
    }

    fn topics() -> impl Strategy<Value = String> {
        prop::collection::vec(level(), 1..5).prop_map(|levels| levels.join("/"))
    }

    fn filters() -> impl Strategy<Value = String> {
        let filter_level = prop_oneof![3 => level(), 2 => Just("+")];
        (prop::collection::vec(filter_level, 0..4), any::<bool>()).prop_map(|(mut levels, hash)| {
            if hash || levels.is_empty() {
                levels.push("#");
            }
            levels.join("/")
        })
    }

    proptest! {
        #[test]
        fn the_trie_matches_what_the_naive_matcher_matches(
            operations in prop::collection::vec((filters(), 0u8..4, any::<bool>()), 0..40),
            topics in prop::collection::vec(topics(), 1..20),
            standard in any::<bool>(),
        ) {
            let multi_level = if standard { MultiLevel::ParentAndChildren } else { MultiLevel::Children };
            let mut trie = TopicTrie::new(multi_level);
            let mut model = HashMap::new();
            for (step, (text, key, insert)) in operations.into_iter().enumerate() {
                let Ok(parsed) = TopicFilter::parse(&text) else { continue };
                let value = step as u8;
                if insert {
                    prop_assert_eq!(trie.insert(&parsed, key, value), model.insert((text, key), value));
                } else {
                    prop_assert_eq!(trie.remove(&parsed, &key), model.remove(&(text, key)));
                }
            }
            prop_assert_eq!(trie.len(), model.len());
            for topic in topics {
                let mut expected: Vec<_> = model
                    .iter()
                    .filter(|((text, _), _)| topic::matches(text, &topic, multi_level))
                    .map(|((_, key), value)| (*key, *value))
                    .collect();
                expected.sort_unstable();
                prop_assert_eq!(found(&trie, &topic), expected, "{}", topic);
            }
        }
    }
}
