"""Durable processes on PostgreSQL: the face that process code, intake and operators see."""

from strata.durable.definition import Definition, define, definitions, process
from strata.durable.journal import Journal
from strata.durable.retry import RETRY, CircuitPolicy, RetryPolicy
from strata.durable.run import At, Run
from strata.durable.types import (
    Alert,
    Audit,
    Count,
    Failure,
    InboundEvent,
    Item,
    ItemDetail,
    ItemFilter,
    Page,
    Paused,
    Received,
    Schedule,
    Signal,
    SignalRecord,
    Started,
    Status,
    StepRecord,
    Subscription,
)
from strata.durable.worker import Worker
from strata.errors import FailureClass, StrataError

__all__ = [
    "RETRY",
    "Alert",
    "At",
    "Audit",
    "CircuitPolicy",
    "Count",
    "Definition",
    "Failure",
    "FailureClass",
    "InboundEvent",
    "Item",
    "ItemDetail",
    "ItemFilter",
    "Journal",
    "Page",
    "Paused",
    "Received",
    "RetryPolicy",
    "Run",
    "Schedule",
    "Signal",
    "SignalRecord",
    "Started",
    "Status",
    "StepRecord",
    "StrataError",
    "Subscription",
    "Worker",
    "define",
    "definitions",
    "process",
]
