"""The addresses of policies and holds for people."""

from django.urls import path

from catalogue.ground import addresses  # noqa: F401 - registers the converters
from policies import drafting_views as drafting
from policies import views

PROPOSAL = "proposals/<proposal:number>"

app_name = "policies"
urlpatterns = [
    path("policy", views.policy, name="policy"),
    path("policy/draft", drafting.draft, name="draft"),
    path("policy/versions/<int:number>", drafting.version, name="version"),
    path(f"{PROPOSAL}/runs/<run:run_number>/kept", views.kept, name="kept"),
    path(f"{PROPOSAL}/holds", views.holds, name="holds"),
    path(f"{PROPOSAL}/holds/place", views.place, name="place"),
    path(f"{PROPOSAL}/holds/<int:hold>/lift", views.lift, name="lift"),
    path(f"{PROPOSAL}/holds/<int:hold>/ask", views.ask_to_lift, name="ask-to-lift"),
]
