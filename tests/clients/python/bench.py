"""What the scripts share: where the tenant is, and the report that the test reads."""

import json
import os
import ssl

import httpx

GRAPH = os.environ["CAPOL_GRAPH_ENDPOINT"]
LOGIN = os.environ["CAPOL_LOGIN_ENDPOINT"]
TENANT = os.environ["AZURE_TENANT_ID"]
CLIENT = "7a5bd2b0-0000-4000-8000-000000000001"
SECRET = "a client secret of the tests"

facts = {}


def fact(name, value):
    """Puts one observation into the report."""
    facts[name] = value


def done():
    """Prints the report as the last line."""
    print(json.dumps(facts, sort_keys=True))
