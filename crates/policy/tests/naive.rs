//! A second implementation of policy evaluation, read off AWS's text as plainly as it goes, against the first.
//!
//! It shares nothing with the crate: it interprets the documents' JSON at each request, tries every way a wildcard can stretch, and
//! compares dates as text. [`agrees_on_ten_thousand_cases`] draws documents, callers and requests from a seed and prints the seed of
//! the case in which the two differ.
//!
//! Sources: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html>,
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html>,
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-single-vs-multi-valued-context-keys.html>

#![expect(clippy::unwrap_used, reason = "all of this is a test")]

use std::collections::BTreeMap;

use policy::{Caller, Context, Document, Policies, PolicyKind, Request, ResourcePolicy, Silence, Verdict};
use serde_json::{Map, Value, json};

const CASES: u64 = 10_000;

// ── The naive implementation ───────────────────────────────────────────────────────────────────────────────

type Keys = BTreeMap<String, Vec<String>>;

/// A question that a missing variable or a value of another type may leave open.
#[derive(Clone, Copy, PartialEq)]
enum Answer {
    Yes,
    No,
    Open,
}

fn answer(yes: bool) -> Answer {
    if yes { Answer::Yes } else { Answer::No }
}

fn list(value: &Value) -> Vec<String> {
    let one = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    value.as_array().map_or_else(|| vec![one(value)], |values| values.iter().map(one).collect())
}

/// The pattern as pairs: a character, and whether it is a wildcard. None if a variable has no value.
fn expand(pattern: &str, keys: &Keys, with_variables: bool) -> Option<Vec<(char, bool)>> {
    let mut out = Vec::new();
    let chars: Vec<char> = pattern.chars().collect();
    let mut at = 0;
    while at < chars.len() {
        let end = chars[at..].iter().position(|c| *c == '}').map(|offset| at + offset);
        if let (true, '$', Some('{'), Some(end)) = (with_variables, chars[at], chars.get(at + 1), end) {
            let inside: String = chars[at + 2..end].iter().collect();
            let value = match inside.as_str() {
                "*" | "?" | "$" => inside.clone(),
                _ => {
                    let (name, default) = match inside.split_once(", ") {
                        Some((name, default)) => {
                            (name.to_owned(), Some(default.trim_matches('\'').to_owned()))
                        }
                        None => (inside.clone(), None),
                    };
                    match keys.get(&name.to_lowercase()) {
                        Some(values) if values.len() == 1 => values[0].clone(),
                        _ => default?,
                    }
                }
            };
            out.extend(value.chars().map(|c| (c, false)));
            at = end + 1;
        } else {
            out.push((chars[at], chars[at] == '*' || chars[at] == '?'));
            at += 1;
        }
    }
    Some(out)
}

/// Tries everything.
fn stretch(pattern: &[(char, bool)], text: &[char]) -> bool {
    match pattern.first() {
        None => text.is_empty(),
        Some(('*', true)) => (0..=text.len()).any(|taken| stretch(&pattern[1..], &text[taken..])),
        Some(('?', true)) => !text.is_empty() && stretch(&pattern[1..], &text[1..]),
        Some((c, _)) => text.first() == Some(c) && stretch(&pattern[1..], &text[1..]),
    }
}

fn glob(pattern: &str, text: &str, keys: &Keys, with_variables: bool) -> Answer {
    match expand(pattern, keys, with_variables) {
        Some(pattern) => answer(stretch(&pattern, &text.chars().collect::<Vec<_>>())),
        None => Answer::Open,
    }
}

fn plain(pattern: &str, keys: &Keys, variables: bool) -> Option<String> {
    Some(expand(pattern, keys, variables)?.into_iter().map(|(c, _)| c).collect())
}

/// One value of the policy against one of the request, not negated. `operator` is without `Not`.
fn compare(operator: &str, wanted: &str, value: &str, keys: &Keys, variables: bool) -> Answer {
    if operator == "StringLike" {
        return glob(wanted, value, keys, variables);
    }
    if operator.starts_with("Arn") {
        let given: Vec<&str> = value.splitn(6, ':').collect();
        if given.len() < 6 {
            return Answer::No;
        }
        let parts: Vec<&str> = if wanted == "*" { vec!["*"; 6] } else { wanted.splitn(6, ':').collect() };
        let answers: Vec<Answer> =
            parts.iter().zip(given).map(|(part, given)| glob(part, given, keys, variables)).collect();
        if answers.contains(&Answer::Open) {
            return Answer::Open;
        }
        return answer(answers.iter().all(|answer| *answer == Answer::Yes));
    }
    let Some(wanted) = plain(wanted, keys, variables) else { return Answer::Open };
    let number = |text: &str| text.parse::<f64>().ok();
    // Whole numbers are seconds since the epoch; these are the ones that cases have.
    let date = |text: &str| match text {
        "7" => Some("1970-01-01T00:00:07Z".to_owned()),
        "-1" => Some("1969-12-31T23:59:59Z".to_owned()),
        _ => (text.len() == 20 && text.ends_with('Z')).then(|| text.to_owned()),
    };
    let address = |text: &str| -> Option<u32> {
        let parts: Vec<u32> = text.split('.').map(|part| part.parse().ok()).collect::<Option<_>>()?;
        (parts.len() == 4).then(|| parts.iter().fold(0, |sum, part| sum * 256 + part))
    };
    let decided = |yes: Option<bool>| yes.map_or(Answer::Open, answer);
    match operator {
        "StringEquals" => answer(wanted == value),
        "StringEqualsIgnoreCase" => answer(wanted.to_lowercase() == value.to_lowercase()),
        "Bool" => answer(wanted.to_lowercase() == value.to_lowercase()),
        "BinaryEquals" => answer(wanted == value),
        "NumericEquals" => decided(number(value).zip(number(&wanted)).map(|(a, b)| a == b)),
        "NumericLessThan" => decided(number(value).zip(number(&wanted)).map(|(a, b)| a < b)),
        "NumericLessThanEquals" => decided(number(value).zip(number(&wanted)).map(|(a, b)| a <= b)),
        "NumericGreaterThan" => decided(number(value).zip(number(&wanted)).map(|(a, b)| a > b)),
        "NumericGreaterThanEquals" => decided(number(value).zip(number(&wanted)).map(|(a, b)| a >= b)),
        "DateEquals" => decided(date(value).zip(date(&wanted)).map(|(a, b)| a == b)),
        "DateLessThan" => decided(date(value).zip(date(&wanted)).map(|(a, b)| a < b)),
        "DateLessThanEquals" => decided(date(value).zip(date(&wanted)).map(|(a, b)| a <= b)),
        "DateGreaterThan" => decided(date(value).zip(date(&wanted)).map(|(a, b)| a > b)),
        "DateGreaterThanEquals" => decided(date(value).zip(date(&wanted)).map(|(a, b)| a >= b)),
        "IpAddress" => {
            let (network, bits) = wanted.split_once('/').unwrap_or((&wanted, "32"));
            let size = 1_u64 << (32 - bits.parse::<u32>().unwrap());
            decided(
                address(value).zip(address(network)).map(|(a, b)| u64::from(a) / size == u64::from(b) / size),
            )
        }
        other => panic!("no operator {other}"),
    }
}

fn condition_holds(
    name: &str,
    key: &str,
    wanted: &[String],
    keys: &Keys,
    (deny, variables): (bool, bool),
) -> bool {
    let values: &[String] = keys.get(&key.to_lowercase()).map_or(&[], Vec::as_slice);
    if name == "Null" {
        return wanted.iter().any(|wanted| (wanted == "true") == values.is_empty());
    }
    let (set, rest) = name.split_once(':').unwrap_or(("", name));
    let (rest, if_exists) = rest.strip_suffix("IfExists").map_or((rest, false), |rest| (rest, true));
    let negated = rest.contains("Not");
    let operator = rest.replace("Not", "");
    if values.is_empty() {
        return if_exists || set == "ForAllValues" || (set.is_empty() && negated);
    }
    let mut holding = 0;
    for value in values {
        let answers: Vec<Answer> =
            wanted.iter().map(|wanted| compare(&operator, wanted, value, keys, variables)).collect();
        let any = answers.contains(&Answer::Yes);
        let open = answers.contains(&Answer::Open);
        let holds = if negated { !any && (deny || !open) } else { any };
        holding += usize::from(holds);
    }
    match set {
        "ForAllValues" => holding == values.len(),
        "ForAnyValue" => holding > 0,
        _ if negated => holding == values.len(),
        _ => holding > 0,
    }
}

fn statement_covers(statement: &Value, action: &str, resource: &str, keys: &Keys, variables: bool) -> bool {
    let deny = statement["Effect"] == "Deny";
    let covered = |name: &str, not_name: &str, check: &dyn Fn(&str) -> Answer| {
        if let Some(wanted) = statement.get(name) {
            return list(wanted).iter().any(|pattern| check(pattern) == Answer::Yes);
        }
        list(&statement[not_name]).iter().all(|pattern| match check(pattern) {
            Answer::Yes => false,
            Answer::No => true,
            Answer::Open => deny,
        })
    };
    let action_covered = covered("Action", "NotAction", &|pattern| {
        glob(&pattern.to_lowercase(), &action.to_lowercase(), keys, false)
    });
    let resource_covered =
        covered("Resource", "NotResource", &|pattern| glob(pattern, resource, keys, variables));
    let none = Map::new();
    let conditions = statement.get("Condition").and_then(Value::as_object).unwrap_or(&none);
    let conditions_hold = conditions.iter().all(|(name, wanted)| {
        wanted
            .as_object()
            .unwrap()
            .iter()
            .all(|(key, wanted)| condition_holds(name, key, &list(wanted), keys, (deny, variables)))
    });
    action_covered && resource_covered && conditions_hold
}

/// Effects of the statements that cover the request, with the statement.
fn effects<'a>(document: &'a Value, action: &str, resource: &str, keys: &Keys) -> Vec<(&'a str, &'a Value)> {
    let variables = document["Version"] == "2012-10-17";
    document["Statement"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|statement| statement_covers(statement, action, resource, keys, variables))
        .map(|statement| (statement["Effect"].as_str().unwrap(), statement))
        .collect()
}

/// The names of a caller from the widest to the narrowest, each as `KIND=value`.
fn caller_names(caller: &Caller) -> Vec<String> {
    match caller {
        Caller::Root { account } => vec![format!("AWS={account}")],
        Caller::User { account, arn } => vec![format!("AWS={account}"), format!("AWS={arn}")],
        Caller::Session { account, role, session } => {
            vec![format!("AWS={account}"), format!("AWS={role}"), format!("AWS={session}")]
        }
        Caller::Federated { provider } => vec![format!("Federated={provider}")],
        Caller::Service { name } => vec![format!("Service={name}")],
        Caller::Anonymous => vec![],
    }
}

/// The principals of a statement as `KIND=value`, accounts by number.
fn principal_names(value: &Value) -> Vec<String> {
    if value == "*" {
        return vec!["AWS=*".to_owned()];
    }
    let mut out = Vec::new();
    for (kind, values) in value.as_object().unwrap() {
        for value in list(values) {
            let value = value.replace("arn:aws:iam::", "\0").replace(":root", "\0");
            let value = match value.split('\0').collect::<Vec<_>>().as_slice() {
                ["", account, ""] => (*account).to_owned(),
                _ => value.replace('\0', "arn:aws:iam::"),
            };
            out.push(format!("{kind}={value}"));
        }
    }
    out
}

/// 0: does not apply; 1: names the account; 2: the role; 3: the caller or everyone.
fn named(statement: &Value, caller: &Caller) -> u8 {
    let names = caller_names(caller);
    if let Some(principals) = statement.get("Principal") {
        let listed = principal_names(principals);
        if listed.contains(&"AWS=*".to_owned()) {
            return 3;
        }
        let narrowest = names.iter().rposition(|name| listed.contains(name));
        return match (narrowest, names.len()) {
            (None, _) => 0,
            (Some(at), count) if at + 1 == count => 3,
            (Some(0), _) => 1,
            (Some(_), _) => 2,
        };
    }
    let listed = principal_names(&statement["NotPrincipal"]);
    let count = names.iter().filter(|name| listed.contains(name)).count();
    let applies = if listed.contains(&"AWS=*".to_owned()) {
        false
    } else if statement["Effect"] == "Deny" {
        names.is_empty() || count < names.len()
    } else {
        count == 0
    };
    if applies { 3 } else { 0 }
}

/// Everything that a case consists of.
#[derive(Debug)]
struct Case {
    identity: Vec<Value>,
    boundary: Option<Value>,
    session: Option<Vec<Value>>,
    resource: Option<Value>,
    owner: String,
    silence: Silence,
    caller: Caller,
    action: String,
    arn: String,
    keys: Keys,
}

fn naive(case: &Case) -> Verdict {
    let all = |documents: &[Value]| -> Vec<String> {
        documents
            .iter()
            .flat_map(|document| effects(document, &case.action, &case.arn, &case.keys))
            .map(|(effect, _)| effect.to_owned())
            .collect()
    };
    let says = |effects: &[String], effect: &str| effects.iter().any(|found| found == effect);
    let resource: Vec<(String, u8)> = case
        .resource
        .iter()
        .flat_map(|document| effects(document, &case.action, &case.arn, &case.keys))
        .map(|(effect, statement)| (effect.to_owned(), named(statement, &case.caller)))
        .filter(|(_, named)| *named > 0)
        .collect();
    let own = [
        (PolicyKind::Identity, Some(all(&case.identity))),
        (PolicyKind::Boundary, case.boundary.as_ref().map(|document| all(std::slice::from_ref(document)))),
        (PolicyKind::Session, case.session.as_ref().map(|documents| all(documents))),
    ];
    let is_root = matches!(case.caller, Caller::Root { .. });
    if resource.iter().any(|(effect, _)| effect == "Deny") {
        return Verdict::ExplicitDeny(PolicyKind::Resource);
    }
    for (kind, effects) in &own {
        let ignored = is_root && *kind == PolicyKind::Identity;
        if !ignored && effects.as_ref().is_some_and(|effects| says(effects, "Deny")) {
            return Verdict::ExplicitDeny(*kind);
        }
    }
    let grant = resource.iter().map(|(_, named)| *named).max().unwrap_or(0);
    let account = match &case.caller {
        Caller::Root { account } | Caller::User { account, .. } | Caller::Session { account, .. } => account,
        _ if grant > 0 => return Verdict::Allow,
        _ => return Verdict::ImplicitDeny(PolicyKind::Resource),
    };
    let home = *account == case.owner;
    if home && grant == 3 {
        return Verdict::Allow;
    }
    if grant == 0 && (!home || case.silence == Silence::Refuses) {
        return Verdict::ImplicitDeny(PolicyKind::Resource);
    }
    for (kind, effects) in &own {
        let Some(effects) = effects else { continue };
        let free = *kind == PolicyKind::Identity && (is_root || (home && grant == 2));
        if !free && !says(effects, "Allow") {
            return Verdict::ImplicitDeny(*kind);
        }
    }
    Verdict::Allow
}

// ── Cases ──────────────────────────────────────────────────────────────────────────────────────────────────

/// SplitMix64.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % sides
    }

    fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        from[usize::try_from(self.roll(from.len() as u64)).unwrap()]
    }

    /// One, or a list of up to three.
    fn some(&mut self, from: &[&str]) -> Value {
        match self.roll(3) {
            0 => json!(self.pick(from)),
            n => Value::Array((0..=n).map(|_| json!(self.pick(from))).collect()),
        }
    }
}

const HOME: &str = "111111111111";
const AWAY: &str = "222222222222";
const USER: &str = "arn:aws:iam::111111111111:user/bob";
const ROLE: &str = "arn:aws:iam::111111111111:role/r";
const SESSION: &str = "arn:aws:sts::111111111111:assumed-role/r/s";
const SERVICE: &str = "iot.amazonaws.com";
const PROVIDER: &str = "arn:aws:iam::111111111111:oidc-provider/id.example.com";

/// Operators, and values that each can compare.
const CONDITIONS: &[(&[&str], &[&str])] = &[
    (
        &[
            "StringEquals",
            "StringNotEquals",
            "StringEqualsIgnoreCase",
            "StringNotEqualsIgnoreCase",
            "StringLike",
            "StringNotLike",
        ],
        &[
            "a",
            "B",
            "ab",
            "a*",
            "?b",
            "*",
            "${aws:username}",
            "${aws:username, 'ab'}",
            "${t:none}",
            "${t:none, 'a'}",
            "${*}",
            "7",
        ],
    ),
    (
        &[
            "NumericEquals",
            "NumericNotEquals",
            "NumericLessThan",
            "NumericLessThanEquals",
            "NumericGreaterThan",
            "NumericGreaterThanEquals",
        ],
        &["7", "7.0", "-1", "10", "${t:n}"],
    ),
    (
        &[
            "DateEquals",
            "DateNotEquals",
            "DateLessThan",
            "DateLessThanEquals",
            "DateGreaterThan",
            "DateGreaterThanEquals",
        ],
        &["2017-08-26T07:47:12Z", "2020-01-01T00:00:00Z", "2017-08-26T07:47:13Z"],
    ),
    (&["Bool"], &["true", "false", "TRUE"]),
    (&["BinaryEquals"], &["QQ==", "QUI="]),
    (&["IpAddress", "NotIpAddress"], &["203.0.113.0/24", "203.0.113.9", "10.0.0.0/8", "0.0.0.0/0"]),
    (
        &["ArnEquals", "ArnLike", "ArnNotEquals", "ArnNotLike"],
        &[
            "arn:aws:s3:::b*",
            "arn:*:s3:::?:x",
            "arn:aws:iot:*:111111111111:rule/*",
            "arn:aws:iot:us-east-1:111111111111:rule/${aws:username}",
            "*",
        ],
    ),
];
const KEYS: &[&str] =
    &["aws:username", "t:n", "t:date", "t:flag", "t:bin", "aws:SourceIp", "t:arn", "t:set", "t:none"];
const VALUES: &[&str] = &[
    "a",
    "b",
    "B",
    "ab",
    "*",
    "7",
    "-1",
    "7.5",
    "2017-08-26T07:47:12Z",
    "2019-01-01T00:00:00Z",
    "true",
    "False",
    "QQ==",
    "203.0.113.9",
    "10.1.2.3",
    "arn:aws:s3:::bucket",
    "arn:aws:iot:us-east-1:111111111111:rule/a",
    "arn:aws:s3:::b:x",
];
const ACTIONS: &[&str] =
    &["*", "s3:*", "s3:Get*", "s3:GetObject", "S3:getobject", "s3:Put?bject", "iam:*", "iot:Publish"];
const RESOURCES: &[&str] = &[
    "*",
    "arn:aws:s3:::*",
    "arn:aws:s3:::lake/*",
    "arn:aws:s3:::lake/a?",
    "arn:aws:s3:::${aws:username}/*",
    "arn:aws:s3:::lake/${aws:username, 'ab'}",
    "arn:aws:s3:::lake/${t:none}",
    "arn:aws:s3:::lake/${*}",
    "arn:aws:s3:::lake/a*b*",
];
const PRINCIPALS: &[&str] = &[
    HOME,
    AWAY,
    "arn:aws:iam::111111111111:root",
    USER,
    ROLE,
    SESSION,
    "arn:aws:iam::111111111111:user/eve",
    "*",
];

fn conditions(dice: &mut Dice, version: &str) -> Value {
    let mut out = Map::new();
    for _ in 0..dice.roll(3) {
        if dice.roll(8) == 0 {
            out.insert("Null".to_owned(), json!({dice.pick(KEYS): dice.pick(&["true", "false"])}));
            continue;
        }
        let (operators, values) = CONDITIONS[usize::try_from(dice.roll(CONDITIONS.len() as u64)).unwrap()];
        let set = dice.pick(&["", "", "ForAllValues:", "ForAnyValue:"]);
        let name = format!("{set}{}{}", dice.pick(operators), dice.pick(&["", "", "IfExists"]));
        let mut keys = Map::new();
        for _ in 0..=dice.roll(2) {
            // Without variables, `${t:n}` is no number.
            let comparable: Vec<&str> = values
                .iter()
                .copied()
                .filter(|value| version == "2012-10-17" || *value != "${t:n}")
                .collect();
            keys.insert(dice.pick(KEYS).to_owned(), dice.some(&comparable));
        }
        out.insert(name, Value::Object(keys));
    }
    Value::Object(out)
}

fn document(dice: &mut Dice, with_principals: bool) -> Value {
    let version = dice.pick(&["2012-10-17", "2012-10-17", "2008-10-17"]);
    let statements = (0..=dice.roll(3))
        .map(|_| {
            let mut statement = Map::new();
            statement.insert("Effect".to_owned(), json!(dice.pick(&["Allow", "Allow", "Allow", "Deny"])));
            statement.insert(
                dice.pick(&["Action", "Action", "Action", "NotAction"]).to_owned(),
                dice.some(ACTIONS),
            );
            statement.insert(
                dice.pick(&["Resource", "Resource", "Resource", "NotResource"]).to_owned(),
                dice.some(RESOURCES),
            );
            if dice.roll(2) == 0 {
                statement.insert("Condition".to_owned(), conditions(dice, version));
            }
            if with_principals {
                let principals = match dice.roll(5) {
                    0 => json!("*"),
                    1 => json!({"Service": dice.pick(&[SERVICE, "s3.amazonaws.com"])}),
                    2 => json!({"Federated": PROVIDER, "AWS": dice.some(PRINCIPALS)}),
                    _ => json!({"AWS": dice.some(PRINCIPALS)}),
                };
                statement
                    .insert(dice.pick(&["Principal", "Principal", "NotPrincipal"]).to_owned(), principals);
            }
            Value::Object(statement)
        })
        .collect::<Vec<_>>();
    json!({"Version": version, "Statement": statements})
}

fn case(seed: u64) -> Case {
    let dice = &mut Dice(seed);
    let caller = match dice.roll(8) {
        0 => Caller::Root { account: HOME.to_owned() },
        1..3 => Caller::User { account: HOME.to_owned(), arn: USER.to_owned() },
        3..5 => {
            Caller::Session { account: HOME.to_owned(), role: ROLE.to_owned(), session: SESSION.to_owned() }
        }
        5 => Caller::Service { name: SERVICE.to_owned() },
        6 => Caller::Federated { provider: PROVIDER.to_owned() },
        _ => Caller::Anonymous,
    };
    let mut keys = Keys::new();
    for key in KEYS.iter().filter(|key| **key != "t:none") {
        let count = dice.pick(&["0", "1", "1", "1", "2", "3"]).parse().unwrap();
        keys.insert(key.to_lowercase(), (0..count).map(|_| dice.pick(VALUES).to_owned()).collect());
    }
    Case {
        identity: (0..dice.roll(3)).map(|_| document(dice, false)).collect(),
        boundary: (dice.roll(3) == 0).then(|| document(dice, false)),
        session: (dice.roll(3) == 0).then(|| (0..=dice.roll(2)).map(|_| document(dice, false)).collect()),
        resource: (dice.roll(2) == 0).then(|| document(dice, true)),
        owner: dice.pick(&[HOME, HOME, AWAY]).to_owned(),
        silence: if dice.roll(4) == 0 { Silence::Refuses } else { Silence::Neutral },
        caller,
        action: dice.pick(&["s3:GetObject", "s3:PutObject", "iot:Publish", "iam:PassRole"]).to_owned(),
        arn: dice
            .pick(&[
                "arn:aws:s3:::lake/a",
                "arn:aws:s3:::lake/ab",
                "arn:aws:s3:::a/b",
                "arn:aws:s3:::lake/*",
                "*",
            ])
            .to_owned(),
        keys,
    }
}

fn ours(case: &Case) -> Verdict {
    let parse = |document: &Value| Document::parse(&document.to_string()).unwrap();
    let identity: Vec<Document> = case.identity.iter().map(parse).collect();
    let boundary = case.boundary.as_ref().map(parse);
    let session: Option<Vec<Document>> =
        case.session.as_ref().map(|documents| documents.iter().map(parse).collect());
    let resource = case.resource.as_ref().map(parse);
    let context = case.keys.iter().fold(Context::new(), |context, (key, values)| {
        context.with_values(key, values.iter().map(String::as_str))
    });
    let policies = Policies {
        identity: identity.iter().collect(),
        boundary: boundary.as_ref(),
        session: session.as_ref().map(|documents| documents.iter().collect()),
        resource: Some(ResourcePolicy {
            document: resource.as_ref(),
            owner: &case.owner,
            silence: case.silence,
        }),
    };
    let request = Request { action: &case.action, resource: &case.arn, context: &context };
    policy::authorize(&policies, &case.caller, &request)
}

#[test]
fn agrees_on_ten_thousand_cases() {
    let mut seen: BTreeMap<String, u32> = BTreeMap::new();
    for seed in 0..CASES {
        let case = case(seed);
        let (expect, found) = (naive(&case), ours(&case));
        assert_eq!(found, expect, "seed {seed}: {case:#?}");
        *seen.entry(format!("{found:?}")).or_default() += 1;
    }
    // A generator that only ever denies would prove nothing.
    assert_eq!(seen.len(), 9, "{seen:?}");
    assert!(seen.values().all(|count| *count >= 50), "{seen:?}");
}
