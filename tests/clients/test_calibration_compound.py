"""The methods of `CalibrationClient` that make several calls, called as programs do: a
condition, a constant, a report and a version are made, found again by each strategy, and
changed."""

import pytest

UNIT = "PHYSICAL_DETECTOR_UNIT-3_DO_NOT_DELETE"
KIND = "CALIBRATION_TEST-2_DO_NOT_DELETE"
TYPE = "UNIT_TEST_DETECTOR_TYPE-1_DO_NOT_DELETE"
DETECTOR = {"detector_identifier": "TEST_DET_CI-2", "pdu_karabo_da": "TEST_DAQ_DA_03"}
EARLY, LATE = "2018-03-01T10:00:00.000+01:00", "2018-03-05T10:00:00.000+01:00"


def done(response):
    """The data of a call that has to succeed."""
    assert response["success"], (response["info"], response["app_info"])
    return response["data"]


@pytest.fixture
def parameter(calibration, unlike):
    """The name of a quantity that no other condition has."""
    name = unlike.name("COMPOUND")
    told = {
        "name": name, "unit_id": "-1", "flg_available": "true", "flg_logarithmic": "false",
        "flg_text": "false", "def_lower_deviation_value": "0.5",
        "def_upper_deviation_value": "0.5", "description": None,
    }  # fmt: skip
    assert calibration.create_parameter_api({"parameter": told}).status_code == 201
    return name


@pytest.fixture
def condition(parameter, unlike):
    """Makes an operating condition of that quantity."""

    def make(value=10.0, **more):
        about = {"parameter_name": parameter, "value": value, "lower_deviation_value": 0.5,
                 "upper_deviation_value": 0.5, "flg_available": True}  # fmt: skip
        return {"name": unlike.name("condition"), "parameters": [about], **more}

    return make


@pytest.fixture
def version(unlike):
    """Makes a version of a constant, measured at a time."""

    def make(begin_at, **more):
        return {
            "name": unlike.name("version"), "file_name": "cal.r0001.c0001.h5",
            "path_to_file": "/usr/local/cal_repo/", "data_set_name": "exp001.cal001",
            "flg_deployed": "true", "flg_good_quality": "true", "begin_validity_at": EARLY,
            "end_validity_at": "2019-01-01T00:00:00+01:00", "begin_at": begin_at,
            "start_idx": "0", "end_idx": "0", "raw_data_location": "proposal 0, run 1",
            "description": "", "pdu_physical_name": UNIT, **more,
        }  # fmt: skip

    return make


@pytest.fixture
def inject(calibration, condition, version, unlike):
    """Injects a version, as a calibration pipeline does; the whole answer."""
    constant = {"name": unlike.name("constant"), "calibration_name": KIND,
                "detector_type_name": TYPE, "flg_auto_approve": True}  # fmt: skip
    same = condition()

    def make(begin_at, report=None, **more):
        told = {"detector_condition": same, "calibration_constant": constant,
                "calibration_constant_version": version(begin_at, **more)}  # fmt: skip
        if report is not None:
            told["report"] = report
        return calibration.inject_new_calibration_constant_version(told)

    return make


@pytest.fixture
def retrieve(calibration, condition):
    """Looks for a version; the whole answer."""

    def make(measured_at, value=10.3, **more):
        told = {"detector_condition": condition(value), "calibration_name": KIND,
                "measured_at": measured_at, "snapshot_at": "", "pdu_physical_name": UNIT,
                **more}  # fmt: skip
        return calibration.retrieve_calibration_constant_version(told)

    return make


def test_a_condition_is_made_once(calibration, condition):
    made = done(calibration.set_condition_from_dict(condition(7.25)))
    assert made["num_parameters"] == 1
    again = done(calibration.set_condition_from_dict(condition(7.25)))
    assert again["id"] == made["id"]
    other = done(calibration.set_condition_from_dict(condition(7.5)))
    assert other["id"] != made["id"]


def test_a_condition_is_found_exactly_or_by_what_it_allows(calibration, condition):
    made = done(calibration.set_condition_from_dict(condition(7.25)))
    assert done(calibration.search_condition_from_dict("", condition(7.25)))["id"] == made["id"]
    assert done(calibration.search_condition_from_dict("", condition(7.75)))["id"] == made["id"]
    possible = done(calibration.search_possible_conditions_from_dict("", condition(6.75)))
    assert [one["id"] for one in possible] == [made["id"]]
    beyond = calibration.search_condition_from_dict("", condition(7.76))
    assert (beyond["success"], beyond["app_info"]) == (False, "Resource not found!")


def test_a_report_is_made_once(calibration, unlike):
    told = {"name": "report.pdf", "file_path": unlike.name("/reports/") + ".pdf"}
    made = done(calibration.set_report(told))
    assert made["file_path"] == told["file_path"]
    assert done(calibration.set_report(told))["id"] == made["id"]


def test_what_is_injected_hangs_together(inject, unlike):
    report = {"name": "report.pdf", "file_path": unlike.name("/reports/") + ".pdf"}
    first = done(inject(EARLY, report))
    second = done(inject(LATE, report))
    assert first["id"] != second["id"]
    assert first["begin_at"] == EARLY
    assert first["calibration_constant"]["id"] == second["calibration_constant"]["id"]
    assert first["physical_detector_unit"]["physical_name"] == UNIT
    assert first["report_id"] == second["report_id"] is not None


def test_the_same_moment_twice_is_refused(inject):
    done(inject(EARLY))
    again = inject(EARLY)
    assert not again["success"]
    assert set(again["app_info"]) == {
        "calibration_constant_id", "physical_detector_unit_id", "begin_at",
    }  # fmt: skip


def test_without_a_report_a_version_has_none(inject):
    assert done(inject(EARLY))["report_id"] is None


@pytest.mark.parametrize(
    ("strategy", "measured_at", "found"),
    [
        ("pdu_closest_by_time", "2018-03-01T11:00:00+01:00", EARLY),
        ("pdu_closest_by_time", "2018-03-04T11:00:00+01:00", LATE),
        ("pdu_closest_by_time", "2017-01-01T00:00:00+01:00", EARLY),
        ("", "2018-03-04T11:00:00+01:00", LATE),
        ("pdu_prior_in_time", "2018-03-04T11:00:00+01:00", EARLY),
        ("pdu_prior_in_time", LATE, LATE),
    ],
)
def test_a_version_is_found_by_each_strategy(inject, retrieve, strategy, measured_at, found):
    by_time = {one["begin_at"]: one["id"] for one in (done(inject(EARLY)), done(inject(LATE)))}
    assert done(retrieve(measured_at, strategy=strategy))["id"] == by_time[found]
    by_place = {"strategy": strategy, "pdu_physical_name": "", **DETECTOR}
    assert done(retrieve(measured_at, **by_place))["id"] == by_time[found]


def test_before_the_first_there_is_no_prior_one(inject, retrieve):
    done(inject(EARLY))
    missing = retrieve("2017-01-01T00:00:00+01:00", strategy="pdu_prior_in_time")
    assert (missing["success"], missing["app_info"]) == (False, "Resource not found!")


def test_a_whole_detector_gets_the_best_of_each_unit(calibration, inject, condition):
    third = done(inject(LATE))
    done(inject(EARLY))
    first = done(inject(EARLY, pdu_physical_name="PHYSICAL_DETECTOR_UNIT-1_DO_NOT_DELETE"))
    told = {"detector_condition": condition(), "calibration_name": KIND, "measured_at": LATE,
            "snapshot_at": "", "strategy": "detector_closest_by_time",
            "detector_identifier": "TEST_DET_CI-2", "pdu_karabo_da": ""}  # fmt: skip
    found = done(calibration.retrieve_calibration_constant_version(told))
    assert found["id"] == first["id"]  # the client gives the first place's
    one = {**told, "pdu_karabo_da": "TEST_DAQ_DA_03"}
    assert done(calibration.retrieve_calibration_constant_version(one))["id"] == third["id"]


def test_all_versions_come_nearest_first(calibration, inject, condition):
    early, late = done(inject(EARLY)), done(inject(LATE))
    told = {"detector_condition": condition(), "calibration_name": KIND, "snapshot_at": "",
            "measured_at": "2018-03-04T11:00:00+01:00", "pdu_physical_name": UNIT}  # fmt: skip
    found = done(calibration.retrieve_all_calibration_constant_versions(told))
    assert [one["id"] for one in found] == [late["id"], early["id"]]


def test_a_version_is_changed_and_the_rest_of_it_stays(calibration, inject, retrieve, unlike):
    report = {"name": "report.pdf", "file_path": unlike.name("/reports/") + ".pdf"}
    made = done(inject(EARLY, report))
    told = {"ccv_id": made["id"], "description": "seen to be wrong", "flg_good_quality": "false",
            "end_validity_at": "2018-03-02T00:00:00.000+01:00", "end_idx": 5}  # fmt: skip
    changed = done(calibration.update_calibration_constant_version(told))
    assert changed["end_idx"] == 5
    assert changed["flg_good_quality"] is False
    same = set(made) - {"description", "flg_good_quality", "end_validity_at", "end_idx"}
    assert {name: changed[name] for name in same} == {name: made[name] for name in same}
    assert done(retrieve(EARLY))["description"] == "seen to be wrong"


def test_what_is_taken_back_is_not_found(calibration, inject, retrieve):
    early, late = done(inject(EARLY)), done(inject(LATE))
    told = {"ccv_id": late["id"], "flg_deployed": "false"}
    done(calibration.update_calibration_constant_version(told))
    assert done(retrieve(LATE))["id"] == early["id"]


def test_the_units_of_a_detector_come_in_the_order_of_their_places(calibration):
    found = calibration.get_all_phy_det_units_from_detector(
        {"detector_identifier": "TEST_DET_CI-2", "snapshot_at": ""}
    )
    places = [unit["karabo_da"] for unit in done(found)]
    assert places == ["TEST_DAQ_DA_01", "TEST_DAQ_DA_02", "TEST_DAQ_DA_03"]
    assert all(unit["detector"]["identifier"] == "TEST_DET_CI-2" for unit in done(found))
    empty = {"detector_identifier": "TEST_DET_CI-1"}
    assert not calibration.get_all_phy_det_units_from_detector(empty)["success"]
