//! The operations of AWS IoT's control plane.

mod attach_policy;
mod attach_thing_principal;
mod create_keys_and_certificate;
mod create_policy;
mod create_policy_version;
mod create_thing;
mod create_topic_rule;
mod delete_ca_certificate;
mod delete_certificate;
mod delete_policy;
mod delete_policy_version;
mod delete_registration_code;
mod delete_thing;
mod delete_topic_rule;
mod describe_ca_certificate;
mod describe_certificate;
mod describe_endpoint;
mod describe_thing;
mod detach_policy;
mod detach_thing_principal;
mod disable_topic_rule;
mod enable_topic_rule;
mod get_policy;
mod get_policy_version;
mod get_registration_code;
mod get_topic_rule;
mod list_attached_policies;
mod list_ca_certificates;
mod list_certificates;
mod list_certificates_by_ca;
mod list_policies;
mod list_policy_versions;
mod list_tags_for_resource;
mod list_thing_principals;
mod list_things;
mod list_topic_rules;
mod listing;
mod register_ca_certificate;
mod register_certificate;
mod register_certificate_without_ca;
mod replace_topic_rule;
mod set_default_policy_version;
mod tag_resource;
#[cfg(test)]
pub(crate) mod testing;
mod untag_resource;
mod update_ca_certificate;
mod update_certificate;
mod update_thing;

use wire::{Body, Entry, Http, Param};

use attach_policy::AttachPolicy;
use attach_thing_principal::AttachThingPrincipal;
use create_keys_and_certificate::CreateKeysAndCertificate;
use create_policy::CreatePolicy;
use create_policy_version::CreatePolicyVersion;
use create_thing::CreateThing;
use create_topic_rule::CreateTopicRule;
use delete_ca_certificate::DeleteCaCertificate;
use delete_certificate::DeleteCertificate;
use delete_policy::DeletePolicy;
use delete_policy_version::DeletePolicyVersion;
use delete_registration_code::DeleteRegistrationCode;
use delete_thing::DeleteThing;
use delete_topic_rule::DeleteTopicRule;
use describe_ca_certificate::DescribeCaCertificate;
use describe_certificate::DescribeCertificate;
use describe_endpoint::DescribeEndpoint;
use describe_thing::DescribeThing;
use detach_policy::DetachPolicy;
use detach_thing_principal::DetachThingPrincipal;
use disable_topic_rule::DisableTopicRule;
use enable_topic_rule::EnableTopicRule;
use get_policy::GetPolicy;
use get_policy_version::GetPolicyVersion;
use get_registration_code::GetRegistrationCode;
use get_topic_rule::GetTopicRule;
use list_attached_policies::ListAttachedPolicies;
use list_ca_certificates::ListCaCertificates;
use list_certificates::ListCertificates;
use list_certificates_by_ca::ListCertificatesByCa;
use list_policies::ListPolicies;
use list_policy_versions::ListPolicyVersions;
use list_tags_for_resource::ListTagsForResource;
use list_thing_principals::ListThingPrincipals;
use list_things::ListThings;
use list_topic_rules::ListTopicRules;
use register_ca_certificate::RegisterCaCertificate;
use register_certificate::RegisterCertificate;
use register_certificate_without_ca::RegisterCertificateWithoutCa;
use replace_topic_rule::ReplaceTopicRule;
use set_default_policy_version::SetDefaultPolicyVersion;
use tag_resource::TagResource;
use untag_resource::UntagResource;
use update_ca_certificate::UpdateCaCertificate;
use update_certificate::UpdateCertificate;
use update_thing::UpdateThing;

use crate::Iot;

/// Every operation that is served.
pub const OPERATIONS: &[Entry<Iot>] = &[
    Entry::rest::<CreateThing>(Http::new("POST", "/things/{thingName}")),
    Entry::rest::<DescribeThing>(Http::new("GET", "/things/{thingName}")),
    Entry::rest::<UpdateThing>(Http::new("PATCH", "/things/{thingName}")),
    Entry::rest::<DeleteThing>(
        Http::new("DELETE", "/things/{thingName}").query(&[Param::number("expectedVersion")]),
    ),
    Entry::rest::<ListThings>(Http::new("GET", "/things").query(&[
        Param::text("nextToken"),
        Param::number("maxResults"),
        Param::text("attributeName"),
        Param::text("attributeValue"),
        Param::flag("usePrefixAttributeValue"),
        Param::text("thingTypeName"),
    ])),
    Entry::rest::<CreateKeysAndCertificate>(
        Http::new("POST", "/keys-and-certificate").query(&[Param::flag("setAsActive")]),
    ),
    Entry::rest::<GetRegistrationCode>(Http::new("GET", "/registrationcode")),
    Entry::rest::<DeleteRegistrationCode>(Http::new("DELETE", "/registrationcode")),
    Entry::rest::<RegisterCaCertificate>(
        Http::new("POST", "/cacertificate")
            .query(&[Param::flag("setAsActive"), Param::flag("allowAutoRegistration")]),
    ),
    Entry::rest::<DescribeCaCertificate>(Http::new("GET", "/cacertificate/{certificateId}")),
    Entry::rest::<ListCaCertificates>(Http::new("GET", "/cacertificates").query(&[
        Param::text("marker"),
        Param::text("templateName"),
        Param::number("pageSize"),
        Param::flag("isAscendingOrder").member("ascendingOrder"),
    ])),
    Entry::rest::<UpdateCaCertificate>(
        Http::new("PUT", "/cacertificate/{certificateId}")
            .query(&[Param::text("newStatus"), Param::text("newAutoRegistrationStatus")]),
    ),
    Entry::rest::<DeleteCaCertificate>(Http::new("DELETE", "/cacertificate/{certificateId}")),
    Entry::rest::<ListCertificatesByCa>(Http::new("GET", "/certificates-by-ca/{caCertificateId}").query(&[
        Param::text("marker"),
        Param::number("pageSize"),
        Param::flag("isAscendingOrder").member("ascendingOrder"),
    ])),
    Entry::rest::<RegisterCertificate>(
        Http::new("POST", "/certificate/register").query(&[Param::flag("setAsActive")]),
    ),
    Entry::rest::<RegisterCertificateWithoutCa>(Http::new("POST", "/certificate/register-no-ca")),
    Entry::rest::<DescribeCertificate>(Http::new("GET", "/certificates/{certificateId}")),
    Entry::rest::<ListCertificates>(Http::new("GET", "/certificates").query(&[
        Param::text("marker"),
        Param::number("pageSize"),
        Param::flag("isAscendingOrder").member("ascendingOrder"),
    ])),
    Entry::rest::<UpdateCertificate>(
        Http::new("PUT", "/certificates/{certificateId}").query(&[Param::text("newStatus")]),
    ),
    Entry::rest::<DeleteCertificate>(
        Http::new("DELETE", "/certificates/{certificateId}").query(&[Param::flag("forceDelete")]),
    ),
    Entry::rest::<AttachThingPrincipal>(
        Http::new("PUT", "/things/{thingName}/principals")
            .query(&[Param::text("thingPrincipalType")])
            .headers(&[Param::text("x-amzn-principal").member("principal")]),
    ),
    Entry::rest::<DetachThingPrincipal>(
        Http::new("DELETE", "/things/{thingName}/principals")
            .headers(&[Param::text("x-amzn-principal").member("principal")]),
    ),
    Entry::rest::<ListThingPrincipals>(
        Http::new("GET", "/things/{thingName}/principals")
            .query(&[Param::text("nextToken"), Param::number("maxResults")]),
    ),
    Entry::rest::<CreatePolicy>(Http::new("POST", "/policies/{policyName}")),
    Entry::rest::<GetPolicy>(Http::new("GET", "/policies/{policyName}")),
    Entry::rest::<DeletePolicy>(Http::new("DELETE", "/policies/{policyName}")),
    Entry::rest::<ListPolicies>(Http::new("GET", "/policies").query(&[
        Param::text("marker"),
        Param::number("pageSize"),
        Param::flag("isAscendingOrder").member("ascendingOrder"),
    ])),
    Entry::rest::<CreatePolicyVersion>(
        Http::new("POST", "/policies/{policyName}/version").query(&[Param::flag("setAsDefault")]),
    ),
    Entry::rest::<GetPolicyVersion>(Http::new("GET", "/policies/{policyName}/version/{policyVersionId}")),
    Entry::rest::<ListPolicyVersions>(Http::new("GET", "/policies/{policyName}/version")),
    Entry::rest::<SetDefaultPolicyVersion>(Http::new(
        "PATCH",
        "/policies/{policyName}/version/{policyVersionId}",
    )),
    Entry::rest::<DeletePolicyVersion>(Http::new(
        "DELETE",
        "/policies/{policyName}/version/{policyVersionId}",
    )),
    Entry::rest::<AttachPolicy>(Http::new("PUT", "/target-policies/{policyName}")),
    Entry::rest::<DetachPolicy>(Http::new("POST", "/target-policies/{policyName}")),
    Entry::rest::<ListAttachedPolicies>(Http::new("POST", "/attached-policies/{target}").query(&[
        Param::flag("recursive"),
        Param::text("marker"),
        Param::number("pageSize"),
    ])),
    Entry::rest::<DescribeEndpoint>(Http::new("GET", "/endpoint").query(&[Param::text("endpointType")])),
    Entry::rest::<CreateTopicRule>(
        Http::new("POST", "/rules/{ruleName}")
            .headers(&[Param::text("x-amz-tagging").member("tags")])
            .body(Body::Payload("topicRulePayload")),
    ),
    Entry::rest::<ReplaceTopicRule>(
        Http::new("PATCH", "/rules/{ruleName}").body(Body::Payload("topicRulePayload")),
    ),
    Entry::rest::<GetTopicRule>(Http::new("GET", "/rules/{ruleName}")),
    Entry::rest::<DeleteTopicRule>(Http::new("DELETE", "/rules/{ruleName}")),
    Entry::rest::<EnableTopicRule>(Http::new("POST", "/rules/{ruleName}/enable")),
    Entry::rest::<DisableTopicRule>(Http::new("POST", "/rules/{ruleName}/disable")),
    Entry::rest::<ListTopicRules>(Http::new("GET", "/rules").query(&[
        Param::text("topic"),
        Param::number("maxResults"),
        Param::text("nextToken"),
        Param::flag("ruleDisabled"),
    ])),
    Entry::rest::<TagResource>(Http::new("POST", "/tags")),
    Entry::rest::<UntagResource>(Http::new("POST", "/untag")),
    Entry::rest::<ListTagsForResource>(
        Http::new("GET", "/tags").query(&[Param::text("resourceArn"), Param::text("nextToken")]),
    ),
];
