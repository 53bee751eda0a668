"""Microsoft's libraries for signing in (azure-identity, msal) against the embedded tenant; TLS only, they insist."""

import asyncio

import msal
from azure.core.exceptions import ClientAuthenticationError
from azure.identity import ClientSecretCredential
from azure.identity.aio import ClientSecretCredential as AsyncClientSecretCredential
from bench import CLIENT, GRAPH, LOGIN, SECRET, TENANT, done, fact
from kiota_authentication_azure.azure_identity_authentication_provider import AzureIdentityAuthenticationProvider
from msgraph import GraphRequestAdapter, GraphServiceClient

SCOPE = "https://graph.microsoft.com/.default"


def credential(kind, tenant=TENANT, secret=SECRET):
    """A credential whose authority is the embedded tenant."""
    return kind(tenant, CLIENT, secret, authority=LOGIN, disable_instance_discovery=True)


def refused(name, sign_in):
    """Puts the library's own error into the report."""
    try:
        sign_in.get_token(SCOPE)
        fact(name, "not refused")
    except ClientAuthenticationError as error:
        fact(name, [word for word in str(error).replace(":", " ").split() if word.startswith("AADSTS")][:1])


async def read_tenant():
    """The SDK signed in the way that Microsoft's documentation shows."""
    async with credential(AsyncClientSecretCredential) as sign_in:
        provider = AzureIdentityAuthenticationProvider(sign_in, scopes=[SCOPE], allowed_hosts=["127.0.0.1"])
        adapter = GraphRequestAdapter(provider)
        adapter.base_url = f"{GRAPH}/v1.0"
        client = GraphServiceClient(request_adapter=adapter)
        return (await client.organization.get()).value[0].id


token = credential(ClientSecretCredential).get_token(SCOPE)
fact("azure-identity", token.token.count("."))
refused("wrong secret", credential(ClientSecretCredential, secret="not the secret"))
refused("unknown tenant", credential(ClientSecretCredential, tenant="5dcb1c4a-0000-4000-8000-000000000000"))
fact("signed in by the SDK", asyncio.run(read_tenant()) == TENANT)

application = msal.ConfidentialClientApplication(
    CLIENT, client_credential=SECRET, authority=f"{LOGIN}/{TENANT}", instance_discovery=False
)
fact("msal", sorted(application.acquire_token_for_client([SCOPE])))
fact("msal again", application.acquire_token_for_client([SCOPE])["token_source"])
public = msal.PublicClientApplication(CLIENT, authority=f"{LOGIN}/{TENANT}", instance_discovery=False)
flow = public.initiate_device_flow(["https://graph.microsoft.com/Policy.Read.All"])
fact("device code", flow["user_code"])
answer = public.acquire_token_by_device_flow(flow)
fact("device code answered", "access_token" in answer)
done()
