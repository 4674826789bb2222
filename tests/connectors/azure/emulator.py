"""What a test needs of Azurite: the account that it always has, and a container to put blobs into."""

from dataclasses import dataclass

import obstore
from obstore.store import AzureStore

ACCOUNT = "devstoreaccount1"
KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="  # the emulator's own


@dataclass(frozen=True)
class Azurite:
    """A running emulator with one container."""

    address: str
    container: str

    def options(self, **over: str) -> dict[str, str]:
        """The storage options that a source's settings would hold."""
        return {
            "azure_storage_account_name": ACCOUNT,
            "azure_storage_account_key": KEY,
            "azure_storage_endpoint": f"{self.address}/{ACCOUNT}",
            "azure_allow_http": "true",
            **over,
        }

    def put(self, path: str, content: bytes) -> None:
        """Writes a blob, as Cost Management would."""
        store = AzureStore(
            self.container,
            account_name=ACCOUNT,
            account_key=KEY,
            endpoint=f"{self.address}/{ACCOUNT}",
            client_options={"allow_http": True},
        )
        obstore.put(store, path, content)
