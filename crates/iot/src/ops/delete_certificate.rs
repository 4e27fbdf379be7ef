//! `DeleteCertificate`: <https://docs.aws.amazon.com/iot/latest/apireference/API_DeleteCertificate.html>

use kernel::Context;
use serde::{Deserialize, Serialize};
use wire::{Operation, Resource};

use store::{Batch, Expect};

use crate::certificate::Certificate;
use crate::{Error, Iot};

pub(super) struct DeleteCertificate;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Request {
    certificate_id: String,
    /// Whether policies are detached first.
    #[serde(default)]
    force_delete: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Response {}

impl Operation for DeleteCertificate {
    type Service = Iot;
    type Request = Request;
    type Response = Response;
    type Error = Error;

    const NAME: &'static str = "DeleteCertificate";
    const ACTION: &'static str = "iot:DeleteCertificate";

    fn resource(cx: &Context, request: &Request) -> Resource {
        Certificate::arn(cx, &request.certificate_id).into()
    }

    async fn handle(iot: &Iot, cx: &Context, request: Request) -> Result<Response, Error> {
        let mut turn = iot.turn().await?;
        let id = request.certificate_id.as_str();
        let stored = iot.certificate(cx, id).await?;
        if stored.entity.is_active() {
            return Err(Error::CertificateState(format!(
                "Certificate must be deactivated (not ACTIVE) before deletion. Certificate: {id}"
            )));
        }
        let key = [cx.account.as_str(), cx.region.as_str(), id];
        if !iot.thing_principals.list(&key).await?.is_empty() {
            return Err(Error::DeleteConflict(format!(
                "Things must be detached before deletion (arn: {})",
                Certificate::arn(cx, id)
            )));
        }
        let attached = iot.attachments.list(&key).await?;
        if !attached.is_empty() && !request.force_delete {
            return Err(Error::DeleteConflict(format!(
                "Certificate policies must be detached before deletion (arn: {})",
                Certificate::arn(cx, id)
            )));
        }
        let mut batch = iot.certificates.with_delete(Batch::default(), &key);
        batch = iot.certificates.with_check(batch, &key, Expect::At(stored.revision));
        for (parts, _) in attached {
            let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
            batch = iot.attachments.with_delete(batch, &parts);
        }
        turn.touches_certificate(cx, id);
        iot.certificates.commit(batch).await?;
        turn.settle(iot).await?;
        Ok(Response {})
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::ops::testing::{call, refused};

    #[tokio::test]
    async fn only_an_inactive_detached_certificate_goes() {
        let iot = crate::ops::testing::iot();
        let created = call(&iot, "CreateKeysAndCertificate", json!({"setAsActive": true})).await;
        let id = created["certificateId"].clone();
        let delete = json!({"certificateId": id});
        assert_eq!(
            refused(&iot, "DeleteCertificate", delete.clone()).await.code,
            "CertificateStateException"
        );
        call(&iot, "UpdateCertificate", json!({"certificateId": id, "newStatus": "INACTIVE"})).await;
        let document =
            r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"iot:*","Resource":"*"}]}"#;
        call(&iot, "CreatePolicy", json!({"policyName": "p", "policyDocument": document})).await;
        let attach = json!({"policyName": "p", "target": created["certificateArn"]});
        call(&iot, "AttachPolicy", attach).await;
        assert_eq!(refused(&iot, "DeleteCertificate", delete.clone()).await.code, "DeleteConflictException");
        call(&iot, "DeleteCertificate", json!({"certificateId": id, "forceDelete": true})).await;
        assert_eq!(refused(&iot, "DescribeCertificate", delete).await.code, "ResourceNotFoundException");
        assert!(ports::Devices::identity(&*iot.iot, id.as_str().unwrap()).is_none());
    }
}
