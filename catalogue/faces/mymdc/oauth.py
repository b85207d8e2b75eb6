"""`oauth/token` where the two legacy applications have it."""

from django.urls import re_path

from catalogue.ground.endpoints.token_issue import token

urlpatterns = [re_path(r"^(?:metadata|calibration)/+oauth/+token/*$", token)]
