"""NetSuite: an ERP, over SuiteTalk REST and SuiteQL."""
