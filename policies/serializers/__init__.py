"""Policies, prices, approvals, decisions and production orders with their verdicts in JSON, named as the import columns."""

from policies.serializers.decisions import DecisionSerializer, ReasonSerializer, VerdictSerializer
from policies.serializers.plan import (
    InsourceSerializer,
    OperationSerializer,
    OutsourceSerializer,
    PlannedOrderSerializer,
    ProductionOrderDetailSerializer,
    ProductionOrderSerializer,
    ReportSerializer,
    UpsertedSerializer,
    planned_orders,
)
from policies.serializers.policies import (
    PolicyEffectSerializer,
    PolicySerializer,
    PriceAgreementSerializer,
    VendorApprovalSerializer,
)
from policies.serializers.supposing import AlsoSupposedSerializer, SimulateSerializer, SimulationSerializer

__all__ = [
    "AlsoSupposedSerializer",
    "DecisionSerializer",
    "InsourceSerializer",
    "OperationSerializer",
    "OutsourceSerializer",
    "PlannedOrderSerializer",
    "PolicyEffectSerializer",
    "PolicySerializer",
    "PriceAgreementSerializer",
    "ProductionOrderDetailSerializer",
    "ProductionOrderSerializer",
    "ReasonSerializer",
    "ReportSerializer",
    "SimulateSerializer",
    "SimulationSerializer",
    "UpsertedSerializer",
    "VendorApprovalSerializer",
    "VerdictSerializer",
    "planned_orders",
]
