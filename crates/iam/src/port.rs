//! What other services ask: to act through a role, and whether a caller may hand them one.

use std::sync::atomic::Ordering;

use kernel::{Arn, Context, ErrorKind, Principal};
use policy::{Caller, Request, ResourcePolicy, Silence, Verdict};
use ports::{PortError, Roles};
use wire::authorize::Denied;
use wire::{Authorize, Facts, Resource};

use crate::audit::Missing;
use crate::entity::Role;
use crate::{Iam, Mode};

impl Roles for Iam {
    /// In [`Mode::Audit`] a role that is not there or does not trust the service is recorded, and acts all the same.
    ///
    /// Services speak to each other in the node, which no policy against requests in the clear is about, and from no address.
    fn assume(
        &self,
        cx: &Context,
        role: &Arn,
        service: &'static str,
        session: &str,
        on_behalf_of: &Arn,
    ) -> Result<Context, PortError> {
        let cx = Context { secure: true, source_ip: None, ..cx.clone() };
        if self.mode != Mode::Off && !self.trusts(&cx, role, service, on_behalf_of) {
            let denied = Denied {
                user: service.to_owned(),
                action: "sts:AssumeRole".to_owned(),
                resource: role.to_string(),
                reason: "because no role trust policy allows the sts:AssumeRole action".to_owned(),
            };
            let caller = cx.with_principal(Principal::Service { account: cx.account.clone(), name: service });
            let missing = Missing::trust(service, "sts:AssumeRole");
            if self.mode == Mode::Enforce {
                let said = format!("{service} is unable to perform: sts:AssumeRole on resource: {role}");
                self.refused(&caller, denied, role.account(), missing);
                return Err(PortError::new(ErrorKind::Denied, "AccessDenied", said));
            }
            self.let_through(&caller, &denied, role.account(), missing);
        }
        let (account, role, session) = (cx.account.clone(), role.clone(), session.to_owned());
        Ok(Context { principal: Principal::Role { account, role, session }, ..cx })
    }

    fn epoch(&self) -> u64 {
        self.epoch.load(Ordering::SeqCst)
    }

    fn check_pass_role(&self, cx: &Context, role: &Arn, service: &str) -> Result<(), PortError> {
        if self.mode == Mode::Enforce && role.account() != cx.account.as_str() {
            let said = "Cross-account pass role is not allowed.";
            return Err(PortError::new(ErrorKind::Denied, "AccessDenied", said));
        }
        let keys = [("iam:PassedToService", vec![service.to_owned()])];
        let facts = Facts { keys: &keys, ..Facts::default() };
        let resource = Resource::Arn(role.clone());
        self.authorize_with(cx, "iam:PassRole", &resource, &facts)
            .map_err(|denied| PortError::new(ErrorKind::Denied, "AccessDenied", denied.to_string()))
    }
}

impl Iam {
    fn trusts(&self, cx: &Context, role: &Arn, service: &str, on_behalf_of: &Arn) -> bool {
        let trust = match self.directory().by_arn::<Role>(role.as_str()) {
            Some((owner, held)) if owner == cx.account => held.trust(),
            _ => return false,
        };
        // By these a trust policy keeps a service from being talked into acting for somebody else's resource.
        let context = policy::Context::new()
            .with("aws:SourceArn", on_behalf_of.as_str())
            .with("aws:SourceAccount", on_behalf_of.account());
        let context = self.circumstances(cx, context);
        let policies = policy::Policies {
            resource: Some(ResourcePolicy {
                document: Some(&trust),
                owner: cx.account.as_str(),
                silence: Silence::Refuses,
            }),
            ..policy::Policies::default()
        };
        let request = Request { action: "sts:AssumeRole", resource: role.as_str(), context: &context };
        let caller = Caller::Service { name: service.to_owned() };
        policy::authorize(&policies, &caller, &request) == Verdict::Allow
    }
}
