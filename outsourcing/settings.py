"""One settings file, read from the environment. Where no URL names a server, an embedded one is started or found."""

from pathlib import Path

import dj_database_url
from celery.schedules import crontab
from django.templatetags.static import static
from django.utils.translation import gettext
from environs import Env

from outsourcing import servers

env = Env()
BASE_DIR = Path(__file__).resolve().parent.parent
OUTWORK_HOME = Path(env.str("OUTWORK_HOME", str(BASE_DIR / "var"))).resolve()

DEBUG = env.bool("DEBUG", False)
SECRET_KEY = env.str("SECRET_KEY", "") or servers.secret_key(OUTWORK_HOME)
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", ["localhost", "127.0.0.1", "[::1]", "testserver"])
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", [])

DATABASE_URL = env.str("DATABASE_URL", "")
REDIS_URL = env.str("REDIS_URL", "")
if DATABASE_URL and REDIS_URL:
    BROKER_URL, CACHE_URL = REDIS_URL, REDIS_URL
else:
    _urls = servers.ensure(OUTWORK_HOME)
    DATABASE_URL = DATABASE_URL or _urls.database
    BROKER_URL, CACHE_URL = (REDIS_URL, REDIS_URL) if REDIS_URL else (_urls.broker, _urls.redis)

INSTALLED_APPS = [
    "unfold.apps.BasicAppConfig",  # its site is ours: outsourcing.planning
    "unfold.contrib.filters",
    "unfold.contrib.forms",
    "outsourcing.planning.PlanningConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.forms",  # its templates, of which one is ours
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "django.contrib.postgres",
    "rest_framework",
    "django_filters",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_htmx",
    "tablericons",
    "pgtrigger",
    "core",
    "masterdata",
    "accounts",
    "activity",
    "inventory",
    "production",
    "policies",
    "subcontract_orders",
    "shipments",
    "receipts",
    "documents",
    "invoices",
    "interchange",
    "accounting",
    "reports",
    "workbench",
    "portal",
    "outsourcing",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "csp.middleware.CSPMiddleware",
    "outsourcing.problems.SaysWhyOnPages",
]

# Refusals are English sentences; where messages and errors of forms are shown they are told in the reader's language.
MESSAGE_STORAGE = "outsourcing.messages.Storage"
FORM_RENDERER = "django.forms.renderers.TemplatesSetting"

ROOT_URLCONF = "outsourcing.urls"
WSGI_APPLICATION = "outsourcing.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "builtins": ["django.templatetags.i18n"],  # every page speaks through it
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

DATABASES = {"default": dj_database_url.parse(DATABASE_URL, conn_max_age=60, conn_health_checks=True)}
CACHES = {"default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": CACHE_URL}}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["accounts.backends.AccessBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "login"
DEMO_USERS = env.bool("DEMO_USERS", False)  # ./dev run: the sign-in page offers the demo's users
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = "login"
SESSION_COOKIE_AGE = 60 * 60 * 12
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = env.bool("HTTPS", False)
SECURE_SSL_REDIRECT = env.bool("HTTPS", False)
SECURE_REDIRECT_EXEMPT = ["^healthz$"]
SECURE_HSTS_SECONDS = 60 * 60 * 24 * 365 if env.bool("HTTPS", False) else 0
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if env.bool("BEHIND_PROXY", False) else None
SECURE_CONTENT_TYPE_NOSNIFF = True
X_FRAME_OPTIONS = "DENY"

# The admin's own scripts need a looser policy; outsourcing.urls sets it for /admin/ alone.
CONTENT_SECURITY_POLICY = {
    "EXCLUDE_URL_PREFIXES": ("/admin/",),
    "DIRECTIVES": {
        "default-src": ["'self'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "img-src": ["'self'", "data:"],
        "object-src": ["'none'"],
        "frame-ancestors": ["'none'"],
        "form-action": ["'self'"],
        "base-uri": ["'self'"],
    },
}

# Where people and vendors reach this installation: the links in mails begin with it.
SITE_ADDRESS = env.str("SITE_ADDRESS", "http://localhost:8000")
# Names and addresses of the own network that webhooks may reach; everything else there they may not.
WEBHOOK_PRIVATE_HOSTS = env.list("WEBHOOK_PRIVATE_HOSTS", [])
VENDOR_LINK_DAYS = env.int("VENDOR_LINK_DAYS", 90)  # how long the link to one order holds, from the day it was sent

LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("de", "Deutsch")]
LANGUAGE_COOKIE_SAMESITE = "Lax"
LOCALE_PATHS = [BASE_DIR / "locale"]
TIME_ZONE = env.str("TIME_ZONE", "UTC")
USE_I18N = True
USE_TZ = True
FORMAT_MODULE_PATH = ["outsourcing.formats"]

MEDIA_ROOT = OUTWORK_HOME / "media"  # the company's logo, files that go with orders; never served by address

STATIC_URL = "static/"
STATIC_ROOT = OUTWORK_HOME / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
if env.bool("STATIC_FROM_SOURCE", False):  # ./dev run: no 20 seconds of collecting and compressing
    STORAGES["staticfiles"]["BACKEND"] = "django.contrib.staticfiles.storage.StaticFilesStorage"
    WHITENOISE_USE_FINDERS = True
DATA_UPLOAD_MAX_MEMORY_SIZE = 200 * 1024 * 1024

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "accounts.authentication.TokenAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated", "core.requests.Rights"],
    "DEFAULT_PAGINATION_CLASS": "core.paging.CursorPages",
    "DEFAULT_FILTER_BACKENDS": ["core.requests.StrictFilters"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "outsourcing.problems.problem_handler",
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
    "COERCE_DECIMAL_TO_STRING": True,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Outwork API",
    "DESCRIPTION": "Plans in, verdicts, document sets and stock at vendors. Resources are named by their business keys.",
    "VERSION": "1",
    "OAS_VERSION": "3.1.0",
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    "COMPONENT_SPLIT_REQUEST": True,
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "outsourcing.schema.add_manners",
    ],
    "ENUM_NAME_OVERRIDES": {
        "ProductionOrderStatus": "production.models.OrderStatus",
        "OperationStatus": "production.models.OperationStatus",
        "QuantityBasis": "production.models.QuantityBasis",
        "OperationVerdict": "policies.models.Verdict",
        "PolicyVerdict": "policies.models.PolicyVerdict",
        "DecisionBasis": "policies.models.Basis",
        "PolicyStatus": "policies.models.PolicyStatus",
        "ApprovalStatus": "policies.models.ApprovalStatus",
        "SubcontractOrderStatus": "subcontract_orders.models.OrderStatus",
        "OrderLineStatus": "subcontract_orders.models.LineStatus",
        "OrderProgress": "subcontract_orders.models.Progress",
        "ShipmentStatus": "shipments.models.ShipmentStatus",
        "ReceiptStatus": "receipts.models.ReceiptStatus",
        "ReturnStatus": "receipts.models.ReturnStatus",
        "ReturnKind": "receipts.models.ReturnKind",
        "InvoiceKind": "invoices.models.InvoiceKind",
        "InvoiceStatus": "invoices.models.InvoiceStatus",
        "InvoiceLineKind": "invoices.models.LineKind",
        "InvoiceChargeKind": "invoices.models.CHARGE_CHOICES",
        "ChargeSpreadBasis": "invoices.models.SpreadBasis",
        "TaxCategory": "invoices.models.TaxCategory",
        "ChargeBackKind": "invoices.models.ChargeBackKind",
        "ChargeBackStatus": "invoices.models.ChargeBackStatus",
        "RunState": "documents.models.RunState",
        "RunAction": "documents.models.Action",
    },
}

# Mail: without a host it is printed on the console (the demo).
EMAIL_HOST = env.str("EMAIL_HOST", "")
EMAIL_PORT = env.int("EMAIL_PORT", 25)
EMAIL_HOST_USER = env.str("EMAIL_HOST_USER", "")
EMAIL_HOST_PASSWORD = env.str("EMAIL_HOST_PASSWORD", "")
EMAIL_USE_TLS = env.bool("EMAIL_USE_TLS", False)
EMAIL_TIMEOUT = 20
EMAIL_BACKEND = f"django.core.mail.backends.{'smtp' if EMAIL_HOST else 'console'}.EmailBackend"
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", "outwork@localhost")

CELERY_BROKER_URL = BROKER_URL
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_TASK_TIME_LIMIT = 60 * 60
CELERY_TASK_SOFT_TIME_LIMIT = 55 * 60
CELERY_BROKER_TRANSPORT_OPTIONS = {"visibility_timeout": 2 * 60 * 60}
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_TIMEZONE = TIME_ZONE
CELERY_BEAT_SCHEDULE = {
    # The row is the queue: these sweeps find work by state, so a lost message only makes it later.
    # A sweep nobody took in time is dropped: the next one finds the same, and none pile up while no worker runs.
    "start due runs": {"task": "documents.tasks.start_due_runs", "schedule": 5.0, "options": {"expires": 30}},
    "continue runs": {"task": "documents.tasks.continue_runs", "schedule": 15.0, "options": {"expires": 60}},
    "continue imports": {"task": "interchange.tasks.continue_imports", "schedule": 15.0, "options": {"expires": 60}},
    "answer simulations": {
        "task": "documents.tasks.answer_simulations",
        "schedule": 15.0,
        "options": {"expires": 60},
    },
    "deliver due shipments": {
        "task": "shipments.tasks.deliver_due_shipments",
        "schedule": 300.0,
        "options": {"expires": 600},
    },
    "deliver due returns": {
        "task": "receipts.tasks.deliver_due_returns",
        "schedule": 300.0,
        "options": {"expires": 600},
    },
    "watch": {"task": "documents.tasks.watch", "schedule": 300.0, "options": {"expires": 600}},
    "send due messages": {"task": "documents.tasks.send_due_messages", "schedule": 60.0, "options": {"expires": 120}},
    "tell webhooks": {"task": "activity.tasks.tell_webhooks", "schedule": 10.0, "options": {"expires": 60}},
    "watch invoices": {"task": "invoices.tasks.watch", "schedule": 300.0, "options": {"expires": 600}},
    "keep reports up": {"task": "reports.tasks.keep_up", "schedule": 300.0, "options": {"expires": 600}},
    "morning digests": {"task": "activity.tasks.write_digests", "schedule": crontab(hour=6, minute=0)},
    "level values": {"task": "inventory.tasks.level_values", "schedule": crontab(hour=23, minute=50)},
    "nightly run": {"task": "documents.tasks.request_nightly_run", "schedule": crontab(hour=3, minute=30)},
    "forget old deliveries": {"task": "activity.tasks.forget_deliveries", "schedule": crontab(hour=2, minute=20)},
    "forget old answers": {"task": "outsourcing.tasks.delete_old_answers", "schedule": crontab(hour=2, minute=10)},
}

# The planning pages in the colours of static/app.css, so that both halves look like one product.
UNFOLD = {
    "SITE_TITLE": "Outwork",
    "SITE_HEADER": "Outwork",
    "SITE_SUBHEADER": lambda request: gettext("Planning"),
    "SITE_URL": "/",
    "SITE_ICON": lambda request: static("icon.svg"),
    "SITE_FAVICONS": [{"rel": "icon", "type": "image/svg+xml", "href": lambda request: static("icon.svg")}],
    "STYLES": [lambda request: static("planning.css")],
    "SCRIPTS": [lambda request: static("planning.js")],
    "BORDER_RADIUS": "7px",
    "COLORS": {
        "base": {
            "50": "#f6f7f9",
            "100": "#edeff3",
            "200": "#e4e7ec",
            "300": "#cfd5de",
            "400": "#8592a4",
            "500": "#5f6b7d",
            "600": "#475467",
            "700": "#344054",
            "800": "#242d3a",
            "900": "#131922",
            "950": "#0c1016",
        },
        "primary": {
            "50": "#f5f7ff",
            "100": "#eef1ff",
            "200": "#d5dcfe",
            "300": "#a9b6fb",
            "400": "#7d90f5",
            "500": "#5a6eea",
            "600": "#3d52d5",
            "700": "#3242b0",
            "800": "#28358c",
            "900": "#1c2444",
            "950": "#141a33",
        },
    },
    "SHOW_VIEW_ON_SITE": False,
    "SIDEBAR": {"show_search": False, "show_all_applications": False, "navigation": "outsourcing.navigation.sidebar"},
    "DASHBOARD_CALLBACK": "outsourcing.navigation.first_page",
}

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{asctime} {levelname} {name} {message}", "style": "{"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": env.str("LOG_LEVEL", "WARNING")},
}
