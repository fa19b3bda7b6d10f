"""The API's version: major in the address, all of it in the header `API-Version` and the OpenAPI document.

What changed from version to version is in docs/api/changelog.md.
"""

VERSION = "1.0.0"
BASE_PATH = "/api/v1"
