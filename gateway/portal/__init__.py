"""The developer portal: pages rendered on the server from the published contracts, assets of our own."""
