"""NetSuite as it speaks on the wire: SuiteTalk REST (record, query, async), RESTlets, TBA and OAuth 2.0 M2M."""
