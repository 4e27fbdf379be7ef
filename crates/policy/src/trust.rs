//! Policies of one purpose: a role's trust policy, and any other that is attached to a resource.
//!
//! Source: <https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_terms-and-concepts.html>

use crate::document::{Document, Malformed};

impl Document {
    /// Reads the policy that says who may assume a role: every statement names principals, none resources, and only STS's
    /// actions.
    ///
    /// # Errors
    /// [`Malformed`].
    pub fn parse_trust(text: &str) -> Result<Self, Malformed> {
        let document = Self::parse(text)?;
        for statement in &document.statements {
            if statement.resource.is_some() {
                return Err(Malformed::ProhibitedField { field: "Resource" });
            }
            if statement.principal.is_none() {
                return Err(Malformed::MissingField { field: "Principal" });
            }
            let of_sts =
                |source: &str| source.get(..4).is_some_and(|vendor| vendor.eq_ignore_ascii_case("sts:"));
            if !statement.action.patterns().iter().all(|action| of_sts(action.source())) {
                return Err(Malformed::NotAssumeRole);
            }
        }
        Ok(document)
    }

    /// Reads a policy attached to a resource other than a role: every statement names principals and resources.
    ///
    /// # Errors
    /// [`Malformed`].
    pub fn parse_resource(text: &str) -> Result<Self, Malformed> {
        let document = Self::parse(text)?;
        for statement in &document.statements {
            if statement.principal.is_none() {
                return Err(Malformed::MissingField { field: "Principal" });
            }
            if statement.resource.is_none() {
                return Err(Malformed::NoResources);
            }
        }
        Ok(document)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn said(parse: impl Fn(&str) -> Result<Document, Malformed>, statement: &Value) -> String {
        match parse(&json!({"Statement": [statement]}).to_string()) {
            Ok(_) => "ok".to_owned(),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn who_may_assume_a_role() {
        let service = json!({"Service": "firehose.amazonaws.com"});
        for (statement, expect) in [
            (json!({"Effect": "Allow", "Principal": service, "Action": "sts:AssumeRole"}), "ok"),
            (
                json!({"Effect": "Allow", "Principal": service, "Action": ["sts:AssumeRole", "STS:TagSession"]}),
                "ok",
            ),
            (
                json!({"Effect": "Allow", "Principal": service, "Action": "sts:AssumeRole", "Resource": "*"}),
                "Has prohibited field Resource",
            ),
            (json!({"Effect": "Allow", "Action": "sts:AssumeRole"}), "Missing required field Principal"),
            (
                json!({"Effect": "Allow", "Principal": service, "Action": "s3:GetObject"}),
                "AssumeRole policy may only specify STS AssumeRole actions.",
            ),
            (
                json!({"Effect": "Allow", "Principal": service, "Action": "*"}),
                "AssumeRole policy may only specify STS AssumeRole actions.",
            ),
        ] {
            assert_eq!(said(Document::parse_trust, &statement), expect, "{statement}");
        }
    }

    #[test]
    fn what_a_resource_lets_others_do() {
        for (statement, expect) in [
            (json!({"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "*"}), "ok"),
            (
                json!({"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}),
                "Missing required field Principal",
            ),
            (
                json!({"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject"}),
                "Policy statement must contain resources.",
            ),
        ] {
            assert_eq!(said(Document::parse_resource, &statement), expect, "{statement}");
        }
    }
}
