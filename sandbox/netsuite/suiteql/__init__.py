"""SuiteQL: parsed as Oracle SQL, checked against the tables it may see, executed on SQLite."""

from sandbox.netsuite.suiteql.endpoint import SuiteQL

__all__ = ["SuiteQL"]
