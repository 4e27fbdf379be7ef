"""A good input for every operation of IAM and STS, as `model_samples.py` has them for the other services."""

import json

ACCOUNT = "000000000000"
DOCUMENT = json.dumps(
    {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}
)
TAGS = [{"Key": "k", "Value": "v"}]
MANAGED = "arn:aws:iam::aws:policy/AdministratorAccess"
THUMBPRINT = "990f4193972f2becf12ddeda5237f9c952f20d9e"
# {"alg":"ES256"}.{"iss":"https://idp.example/nobody"} and no signature.
NOBODYS_TOKEN = "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJodHRwczovL2lkcC5leGFtcGxlL25vYm9keSJ9.AA"


def trust(principal):
    statement = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


FOR_FIREHOSE = trust({"Service": "firehose.amazonaws.com"})
FOR_THE_ACCOUNT = trust({"AWS": f"arn:aws:iam::{ACCOUNT}:root"})


class Identities:
    """Users, groups, roles and policies, made when a sample needs one."""

    def __init__(self, world):
        self.world = world
        self.iam = world.client("iam")

    def user(self):
        name = self.world.fresh("user")
        self.iam.create_user(UserName=name, Tags=TAGS)
        return name

    def group(self):
        name = self.world.fresh("group")
        self.iam.create_group(GroupName=name)
        return name

    def member(self):
        names = {"GroupName": self.group(), "UserName": self.user()}
        self.iam.add_user_to_group(**names)
        return names

    def role(self, document=FOR_FIREHOSE):
        name = self.world.fresh("role")
        self.iam.create_role(RoleName=name, AssumeRolePolicyDocument=document, Tags=TAGS)
        return name

    def policy(self):
        name = self.world.fresh("policy")
        made = self.iam.create_policy(PolicyName=name, PolicyDocument=DOCUMENT, Tags=TAGS)
        return made["Policy"]["Arn"]

    def version(self):
        arn = self.policy()
        made = self.iam.create_policy_version(PolicyArn=arn, PolicyDocument=DOCUMENT)
        return {"PolicyArn": arn, "VersionId": made["PolicyVersion"]["VersionId"]}

    def key(self):
        user = self.user()
        made = self.iam.create_access_key(UserName=user)["AccessKey"]
        return {"UserName": user, "AccessKeyId": made["AccessKeyId"]}

    def inline(self, kind):
        owner = getattr(self, kind)()
        where = {f"{kind.capitalize()}Name": owner, "PolicyName": "inline"}
        getattr(self.iam, f"put_{kind}_policy")(**where, PolicyDocument=DOCUMENT)
        return where

    def attached(self, kind):
        where = {f"{kind.capitalize()}Name": getattr(self, kind)(), "PolicyArn": self.policy()}
        getattr(self.iam, f"attach_{kind}_policy")(**where)
        return where

    def bounded(self, kind):
        where = {f"{kind.capitalize()}Name": getattr(self, kind)()}
        boundary = getattr(self.iam, f"put_{kind}_permissions_boundary")
        boundary(**where, PermissionsBoundary=MANAGED)
        return where

    def profile(self, role=None):
        name = self.world.fresh("profile")
        self.iam.create_instance_profile(InstanceProfileName=name, Tags=TAGS)
        if role:
            self.iam.add_role_to_instance_profile(InstanceProfileName=name, RoleName=role)
        return name

    def service_linked(self):
        suffix = self.world.fresh("s")
        made = self.iam.create_service_linked_role(AWSServiceName="autoscaling.amazonaws.com", CustomSuffix=suffix)
        return made["Role"]["RoleName"]

    def provider(self):
        url = f"https://idp.example/{self.world.fresh('tenant')}"
        made = self.iam.create_open_id_connect_provider(Url=url, ClientIDList=["app"], Tags=TAGS)
        return made["OpenIDConnectProviderArn"]

    def alias(self):
        name = self.world.fresh("alias-")
        self.iam.create_account_alias(AccountAlias=name)
        return name


def caller(world, service):
    """Who calls: the root may not assume a role."""

    def make():
        identities = Identities(world)
        user = identities.user()
        document = DOCUMENT.replace("s3:*", "*")
        identities.iam.put_user_policy(UserName=user, PolicyName="all", PolicyDocument=document)
        key = identities.iam.create_access_key(UserName=user)["AccessKey"]
        return world.node.client(
            service,
            parameter_validation=False,
            credentials=(key["AccessKeyId"], key["SecretAccessKey"]),
        )

    return world.once(f"caller of {service}", make)


CALLERS = {("sts", "AssumeRole"): caller}


def paged(**names):
    return names | {"MaxItems": 10}


def simulated(**more):
    return more | {
        "ActionNames": ["s3:GetObject"],
        "ResourceArns": ["arn:aws:s3:::b/k"],
        "ContextEntries": [
            {"ContextKeyName": "aws:username", "ContextKeyValues": ["u"], "ContextKeyType": "string"}
        ],
        "MaxItems": 10,
    }


def samples():
    iam = {
        "CreateUser": lambda i: {
            "Path": "/people/",
            "UserName": i.world.fresh("user"),
            "PermissionsBoundary": MANAGED,
            "Tags": TAGS,
        },
        "GetUser": lambda i: {"UserName": i.user()},
        "ListUsers": lambda i: paged(PathPrefix="/"),
        "UpdateUser": lambda i: {"UserName": i.user(), "NewPath": "/x/", "NewUserName": i.world.fresh("user")},
        "DeleteUser": lambda i: {"UserName": i.user()},
        "CreateGroup": lambda i: {"Path": "/teams/", "GroupName": i.world.fresh("group")},
        "GetGroup": lambda i: paged(GroupName=i.member()["GroupName"]),
        "ListGroups": lambda i: paged(PathPrefix="/"),
        "UpdateGroup": lambda i: {
            "GroupName": i.group(),
            "NewPath": "/x/",
            "NewGroupName": i.world.fresh("group"),
        },
        "DeleteGroup": lambda i: {"GroupName": i.group()},
        "AddUserToGroup": lambda i: {"GroupName": i.group(), "UserName": i.user()},
        "RemoveUserFromGroup": lambda i: i.member(),
        "ListGroupsForUser": lambda i: paged(UserName=i.member()["UserName"]),
        "CreateAccessKey": lambda i: {"UserName": i.user()},
        "ListAccessKeys": lambda i: paged(UserName=i.key()["UserName"]),
        "UpdateAccessKey": lambda i: i.key() | {"Status": "Inactive"},
        "DeleteAccessKey": lambda i: i.key(),
        "GetAccessKeyLastUsed": lambda i: {"AccessKeyId": i.key()["AccessKeyId"]},
        "CreateRole": lambda i: {
            "Path": "/roles/",
            "RoleName": i.world.fresh("role"),
            "AssumeRolePolicyDocument": FOR_FIREHOSE,
            "Description": "words",
            "MaxSessionDuration": 7200,
            "PermissionsBoundary": MANAGED,
            "Tags": TAGS,
        },
        "GetRole": lambda i: {"RoleName": i.role()},
        "ListRoles": lambda i: paged(PathPrefix="/"),
        "UpdateRole": lambda i: {"RoleName": i.role(), "Description": "words", "MaxSessionDuration": 7200},
        "UpdateRoleDescription": lambda i: {"RoleName": i.role(), "Description": "words"},
        "UpdateAssumeRolePolicy": lambda i: {"RoleName": i.role(), "PolicyDocument": FOR_THE_ACCOUNT},
        "DeleteRole": lambda i: {"RoleName": i.role()},
        "CreatePolicy": lambda i: {
            "PolicyName": i.world.fresh("policy"),
            "Path": "/policies/",
            "PolicyDocument": DOCUMENT,
            "Description": "words",
            "Tags": TAGS,
        },
        "GetPolicy": lambda i: {"PolicyArn": i.policy()},
        "ListPolicies": lambda i: paged(
            Scope="All", OnlyAttached=False, PathPrefix="/", PolicyUsageFilter="PermissionsPolicy"
        ),
        "DeletePolicy": lambda i: {"PolicyArn": i.policy()},
        "CreatePolicyVersion": lambda i: {
            "PolicyArn": i.policy(),
            "PolicyDocument": DOCUMENT,
            "SetAsDefault": True,
        },
        "GetPolicyVersion": lambda i: i.version(),
        "ListPolicyVersions": lambda i: paged(PolicyArn=i.policy()),
        "SetDefaultPolicyVersion": lambda i: i.version(),
        "DeletePolicyVersion": lambda i: i.version(),
        "ListEntitiesForPolicy": lambda i: paged(
            PolicyArn=i.attached("role")["PolicyArn"],
            EntityFilter="Role",
            PathPrefix="/",
            PolicyUsageFilter="PermissionsPolicy",
        ),
        "CreateInstanceProfile": lambda i: {
            "InstanceProfileName": i.world.fresh("profile"),
            "Path": "/profiles/",
            "Tags": TAGS,
        },
        "GetInstanceProfile": lambda i: {"InstanceProfileName": i.profile(i.role())},
        "ListInstanceProfiles": lambda i: paged(PathPrefix="/"),
        "ListInstanceProfilesForRole": lambda i: paged(RoleName=role_of_profile(i)),
        "DeleteInstanceProfile": lambda i: {"InstanceProfileName": i.profile()},
        "AddRoleToInstanceProfile": lambda i: {"InstanceProfileName": i.profile(), "RoleName": i.role()},
        "RemoveRoleFromInstanceProfile": lambda i: profile_with_role(i),
        "CreateServiceLinkedRole": lambda i: {
            "AWSServiceName": "autoscaling.amazonaws.com",
            "Description": "words",
            "CustomSuffix": i.world.fresh("s"),
        },
        "DeleteServiceLinkedRole": lambda i: {"RoleName": i.service_linked()},
        "GetServiceLinkedRoleDeletionStatus": lambda i: {
            "DeletionTaskId": i.iam.delete_service_linked_role(RoleName=i.service_linked())["DeletionTaskId"]
        },
        "CreateAccountAlias": lambda i: {"AccountAlias": i.world.fresh("alias-")},
        "DeleteAccountAlias": lambda i: {"AccountAlias": i.alias()},
        "ListAccountAliases": lambda i: paged(),
        "SimulateCustomPolicy": lambda i: simulated(PolicyInputList=[DOCUMENT]),
        "SimulatePrincipalPolicy": lambda i: simulated(
            PolicySourceArn=i.iam.get_user(UserName=i.inline("user")["UserName"])["User"]["Arn"]
        ),
        "GetAccountSummary": lambda i: {},
        "GetAccountAuthorizationDetails": lambda i: everything(i),
        "CreateOpenIDConnectProvider": lambda i: {
            "Url": f"https://idp.example/{i.world.fresh('tenant')}",
            "ClientIDList": ["app"],
            "ThumbprintList": [THUMBPRINT],
            "Tags": TAGS,
        },
        "GetOpenIDConnectProvider": lambda i: {"OpenIDConnectProviderArn": i.provider()},
        "ListOpenIDConnectProviders": lambda i: {},
        "DeleteOpenIDConnectProvider": lambda i: {"OpenIDConnectProviderArn": i.provider()},
        "AddClientIDToOpenIDConnectProvider": lambda i: {
            "OpenIDConnectProviderArn": i.provider(),
            "ClientID": "more",
        },
        "RemoveClientIDFromOpenIDConnectProvider": lambda i: {
            "OpenIDConnectProviderArn": i.provider(),
            "ClientID": "app",
        },
        "UpdateOpenIDConnectProviderThumbprint": lambda i: {
            "OpenIDConnectProviderArn": i.provider(),
            "ThumbprintList": [THUMBPRINT],
        },
    }
    for kind in ("User", "Group", "Role"):
        iam |= owned(kind)
    for kind in ("User", "Role"):
        iam |= bounds(kind)
    iam |= tagged("User", "UserName", Identities.user)
    iam |= tagged("Role", "RoleName", Identities.role)
    iam |= tagged("Policy", "PolicyArn", Identities.policy)
    iam |= tagged("InstanceProfile", "InstanceProfileName", Identities.profile)
    iam |= tagged("OpenIDConnectProvider", "OpenIDConnectProviderArn", Identities.provider)
    sts = {
        "GetCallerIdentity": lambda i: {},
        "GetAccessKeyInfo": lambda i: {"AccessKeyId": i.key()["AccessKeyId"]},
        "GetSessionToken": lambda i: {"DurationSeconds": 3600},
        "AssumeRole": lambda i: {
            "RoleArn": f"arn:aws:iam::{ACCOUNT}:role/{i.role(FOR_THE_ACCOUNT)}",
            "RoleSessionName": "session",
            "PolicyArns": [{"arn": MANAGED}],
            "Policy": DOCUMENT,
            "DurationSeconds": 900,
            "ExternalId": "external",
            "SourceIdentity": "somebody",
        },
        "AssumeRoleWithWebIdentity": lambda i: {
            "RoleArn": f"arn:aws:iam::{ACCOUNT}:role/{i.role(FOR_THE_ACCOUNT)}",
            "RoleSessionName": "session",
            "WebIdentityToken": NOBODYS_TOKEN,
            "PolicyArns": [{"arn": MANAGED}],
            "Policy": DOCUMENT,
            "DurationSeconds": 900,
        },
    }
    made = {("iam", name): sample for name, sample in iam.items()}
    made |= {("sts", name): sample for name, sample in sts.items()}
    return {row: bound(sample) for row, sample in made.items()}


def everything(i):
    i.attached("user")
    i.inline("role")
    return paged(Filter=["User", "Role", "Group", "LocalManagedPolicy", "AWSManagedPolicy"])


def bound(sample):
    return lambda world: sample(Identities(world))


def profile_with_role(i):
    role = i.role()
    return {"InstanceProfileName": i.profile(role), "RoleName": role}


def role_of_profile(i):
    return profile_with_role(i)["RoleName"]


def owned(kind):
    """Inline and attached policies of a user, group or role."""
    low, name = kind.lower(), f"{kind}Name"
    return {
        f"Put{kind}Policy": lambda i: i.inline(low) | {"PolicyDocument": DOCUMENT},
        f"Get{kind}Policy": lambda i: i.inline(low),
        f"List{kind}Policies": lambda i: paged(**{name: i.inline(low)[name]}),
        f"Delete{kind}Policy": lambda i: i.inline(low),
        f"Attach{kind}Policy": lambda i: {name: getattr(i, low)(), "PolicyArn": i.policy()},
        f"Detach{kind}Policy": lambda i: i.attached(low),
        f"ListAttached{kind}Policies": lambda i: paged(PathPrefix="/", **{name: i.attached(low)[name]}),
    }


def bounds(kind):
    low, name = kind.lower(), f"{kind}Name"
    return {
        f"Put{kind}PermissionsBoundary": lambda i: {
            name: getattr(i, low)(),
            "PermissionsBoundary": MANAGED,
        },
        f"Delete{kind}PermissionsBoundary": lambda i: i.bounded(low),
    }


def tagged(kind, name, make):
    return {
        f"Tag{kind}": lambda i: {name: make(i), "Tags": TAGS},
        f"Untag{kind}": lambda i: {name: make(i), "TagKeys": ["k"]},
        f"List{kind}Tags": lambda i: paged(**{name: make(i)}),
    }
