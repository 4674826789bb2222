"""What Azure calls the columns of a bill: enterprise, customer, partner and pay-as-you-go agreements differ.

Names are compared without case and underscores (`costInBillingCurrency` is `CostInBillingCurrency`).

Here belongs: names, old and new. Here does not belong: what the values mean.
"""

from collections.abc import Iterator

from connectors.bills.names import Given, Names, column_key

COST = ("CostInBillingCurrency", "Cost", "PreTaxCost")
CURRENCY = ("BillingCurrency", "BillingCurrencyCode", "Currency")
DATE = ("Date", "UsageDate", "UsageDateTime")
PERIOD_START = ("BillingPeriodStartDate",)
PERIOD_END = ("BillingPeriodEndDate",)
QUANTITY = ("Quantity", "UsageQuantity")
MEASURE = ("UnitOfMeasure",)
EFFECTIVE_PRICE = ("EffectivePrice", "ResourceRate")
UNIT_PRICE = ("UnitPrice",)
LIST_PRICE = ("PayGPrice",)
EXCHANGE_RATE = ("ExchangeRatePricingToBilling", "ExchangeRate")
PRICING_CURRENCY = ("PricingCurrency", "PricingCurrencyCode")
ACCOUNT = ("BillingAccountId",)
ACCOUNT_NAME = ("BillingAccountName",)
SUBSCRIPTION = ("SubscriptionId", "SubscriptionGuid")
SUBSCRIPTION_NAME = ("SubscriptionName",)
CATEGORY = ("MeterCategory",)
SUBCATEGORY = ("MeterSubCategory",)
METER = ("MeterName",)
METER_ID = ("MeterId",)
FAMILY = ("ServiceFamily",)
PRODUCT = ("ProductName", "Product")
PRODUCT_ID = ("ProductId",)
PART = ("PartNumber",)
ORDER = ("ProductOrderId",)
ORDER_NAME = ("ProductOrderName",)
CONSUMED_SERVICE = ("ConsumedService",)
RESOURCE = ("ResourceId", "InstanceId", "InstanceName")  # the last in a resource group's export of koku-nise
RESOURCE_NAME = ("ResourceName",)
REGION = ("ResourceLocation", "ResourceLocationNormalized")
METER_REGION = ("MeterRegion",)
ZONE = ("AvailabilityZone",)
TAGS = ("Tags",)
MORE = ("AdditionalInfo",)
RESERVATION = ("ReservationId",)
RESERVATION_NAME = ("ReservationName",)
BENEFIT = ("BenefitId",)
BENEFIT_NAME = ("BenefitName",)
TERM = ("Term",)
CHARGE_TYPE = ("ChargeType",)
FREQUENCY = ("Frequency",)
PRICING_MODEL = ("PricingModel",)
INVOICE = ("InvoiceId",)
PUBLISHER = ("PublisherName",)
PUBLISHER_TYPE = ("PublisherType",)
PLAN = ("PlanName",)

_TAKEN = (
    *(COST[0], *CURRENCY, *PERIOD_START, *PERIOD_END, *QUANTITY[:1], *MEASURE, *DATE[:1], *ACCOUNT, *ACCOUNT_NAME),
    *(SUBSCRIPTION[0], *SUBSCRIPTION_NAME, *CATEGORY, *METER, *METER_ID, *ZONE, *TAGS, *CHARGE_TYPE, *INVOICE),
    *("Cost", "PreTaxCost", *RESOURCE, *RESOURCE_NAME, *REGION[:1], *FAMILY, *PRODUCT, *FREQUENCY, *PRICING_MODEL),
    *(*RESERVATION, *RESERVATION_NAME, *BENEFIT, *BENEFIT_NAME),
)
_KEPT = (
    *(*EFFECTIVE_PRICE, *UNIT_PRICE, *LIST_PRICE, *EXCHANGE_RATE, *PRICING_CURRENCY, *SUBCATEGORY, *PRODUCT_ID, *PART),
    *(*ORDER, *ORDER_NAME, *CONSUMED_SERVICE, *METER_REGION, *MORE, *TERM, *PUBLISHER, *PUBLISHER_TYPE, *PLAN),
    *("AccountId", "AccountName", "AccountOwnerId", "BillingProfileId", "BillingProfileName", "CostAllocationRuleName"),
    *("CostCenter", "CostInPricingCurrency", "CostInUsd", "CustomerName", "CustomerTenantId", "DepartmentName"),
    *("ExchangeRateDate", "InvoiceSection", "InvoiceSectionId", "InvoiceSectionName", "IsAzureCreditEligible"),
    *("MarketPrice", "OfferId", "PartnerEarnedCreditApplied", "PartnerEarnedCreditRate", "PartnerName"),
    *("PartnerTenantId", "PaygCostInBillingCurrency", "PaygCostInUsd", "PreviousInvoiceId", "ProviderName"),
    *("PublisherId", "ResellerMpnId", "ResellerName", "ResourceGroup", "ResourceGroupName", "ServiceInfo1"),
    *("ServiceInfo2", "ServicePeriodEndDate", "ServicePeriodStartDate", "ServiceTier", "ResourceType", "OfferName"),
    *("BillingMonth", "InvoicingCurrency", "InvoicingEffectivePrice", "ResourceLocationNormalized", "DepartmentId"),
    *("BillingAccountType", "IsAmortized", "ServiceName", "ResourceRate", "Provider", "UsageDate", "UsageDateTime"),
)
_KNOWN = frozenset(column_key(name) for name in (*_TAKEN, *_KEPT, *SUBSCRIPTION, *QUANTITY))


def untaken(names: Names) -> Iterator[Given]:
    """The columns that no column of `charges` takes: they go to `x_extra`."""
    taken = {column_key(name) for name in _TAKEN}
    for aliases in (COST, DATE, QUANTITY, SUBSCRIPTION, REGION, RESOURCE):
        if (found := names.find(*aliases)) is not None:
            taken |= {column_key(found.name)}
            taken -= {column_key(name) for name in aliases if column_key(name) != column_key(found.name)}
    yield from (given for key, given in names.columns.items() if key not in taken)


def unknown(names: Names) -> list[str]:
    """The delivered names of columns that Azure had in no version known here."""
    return sorted(given.name for key, given in names.columns.items() if key not in _KNOWN)
