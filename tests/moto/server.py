"""moto over HTTP for the tests, patched by patches.py and image_use.py, with controls under /xrs/.

Listens on a free port of the loopback interface, prints `{"port": N}`, and ends when its standard input is closed, so that
no server outlives the tests. Every request belongs to the account in its access key (`AKIAXRS0` and twelve digits), so
that tests share the server and nothing else.

POST /xrs/<control> with a JSON object; the answer is JSON. `account` and `region` say where.
  settings      any of patches.DEFAULTS, for an account
  errors        {action, code, message, status, times, contains, after, body}: answers requests that contain `contains`
                with this error, `times` times (-1: always); with `after`, the call is performed all the same; `body` is
                an answer that is not one of AWS's errors
  log           the calls of an account: service, region, action, params, start, end, status
  image         {name, description, tags, created, size, encrypted, state, owner, source_id, source_region}: creates an
                image, a copy if it has a source, and returns its id
  image_use     {id, users, protection, launched, second_disk_of, snapshot_refusal}: what keeps an image or its snapshot; a
                user has an Arn and a ResourceType; `second_disk_of` is an image with a snapshot that this one gets, too;
                `snapshot_refusal` is the code by which the deletion of the snapshot is refused
  database      {id, kms_key_id}: creates a database without snapshots
  cluster       {id, engine, kms_key_id, instance}: creates a cluster without snapshots, and, if named, an instance in it
  cluster_snapshot  {db_cluster, created, id, type, tags, status}: returns id and ARN
  cluster_copies    {}: the ids of the manual DB cluster snapshots
  forget        {id}: removes a database and keeps its snapshots
  snapshot      {db_instance, id, created, type, tags, status, option_group_name, instance_created}: returns id and ARN
  key           creates a KMS key, returns its ARN
  tag           {id, tags}: tags an image
  state         {id, state}: sets the state of an image or snapshot
  list          {type}: the ids of the DB snapshots of that type
  rename        {from, id, tags}: gives a DB snapshot another id and other tags
  images        {}: the ids of the account's images
  disks         {}: the ids of the account's EBS snapshots
  copy          {from_region, from, id, tags}: makes a copy of a DB snapshot that is available at once
  stored        {id}: an image or snapshot as it is stored, with what no call returns
  fleet         {to, databases, images, days, copied}: creates many databases, each with automated snapshots of this
                number of days, the oldest `copied` of them with a copy in the region `to`; and many images
  reset         drops log, errors and settings of an account
  clear         drops everything in an account
  processor     {}: the seconds of processor time that the server has used so far
"""

import io
import json
import logging
import os
import sys
import threading
import time
from datetime import datetime, timezone
from urllib.parse import parse_qsl
from xml.sax.saxutils import escape

os.environ["MOTO_EC2_LOAD_DEFAULT_AMIS"] = "false"
# AWS counts only manual snapshots; moto also counts automated ones.
os.environ["MOTO_RDS_SNAPSHOT_LIMIT"] = "1000000"
# The environment of the caller must not change the tests.
os.environ.pop("MOTO_ACCOUNT_ID", None)

import image_use  # noqa: E402
import patches  # noqa: E402
from moto.ec2.models import ec2_backends  # noqa: E402
from moto.iam.models import get_account_id_from  # noqa: E402
from moto.kms.models import kms_backends  # noqa: E402
from moto.moto_server.werkzeug_app import (  # noqa: E402
    DomainDispatcherApplication,
    MotoRequestHandler,
    create_backend_app,
)
from moto.rds.models import rds_backends  # noqa: E402
from werkzeug.serving import make_server  # noqa: E402

KEY_PREFIX = "AKIAXRS0"
LOCK = threading.Lock()
# moto stores everything in plain dictionaries: two requests at once would interfere.
TURN = threading.Lock()
LOG = []
ERRORS = []


def when(text):
    return datetime.fromisoformat(text.replace("Z", "+00:00")).astimezone(timezone.utc).replace(tzinfo=None)


def pairs(tags):
    return [{"Key": key, "Value": value} for key, value in (tags or {}).items()]


# Controls


def control_settings(account, region, **settings):
    unknown = set(settings) - set(patches.DEFAULTS)
    if unknown:
        raise KeyError(f"no such setting: {unknown}")
    patches.SETTINGS.setdefault(account, {}).update(settings)


def control_errors(account, region, **error):
    defaults = {
        "region": region,
        "action": None,
        "message": "injected",
        "status": 400,
        "times": 1,
        "contains": "",
        "after": False,
    }
    with LOCK:
        ERRORS.append({"account": account} | defaults | error)


def control_log(account, region):
    with LOCK:
        return [call for call in LOG if account in (None, call["account"])]


def control_image(
    account,
    region,
    name,
    description="",
    tags=None,
    created=None,
    size=15,
    encrypted=False,
    state="available",
    owner=None,
    source_id=None,
    source_region=None,
):
    backend = ec2_backends[account][region]
    image = backend.register_image(name, description)
    image.source_image_id, image.source_image_region = source_id, source_region
    image.add_tags(tags or {})
    image.creation_date = when(created) if created else image.creation_date
    image.ebs_snapshot.volume.size = size
    image.ebs_snapshot.encrypted = encrypted
    image.state = state
    image.owner_id = owner or image.owner_id
    return {"id": image.id}


def control_image_use(
    account, region, id, users=(), protection="disabled", launched=None, second_disk_of=None, snapshot_refusal=None
):
    images = ec2_backends[account][region].amis
    image = images[id]
    image.xrs_users, image.deregistration_protection, image.last_launched_time = users, protection, launched
    image.xrs_more_disks = [images[second_disk_of].ebs_snapshot] if second_disk_of else []
    image.ebs_snapshot.xrs_refusal = snapshot_refusal


def remove_snapshots(snapshots, key, id):
    """Removes the snapshots that moto creates with a database: the tests create their own."""
    for snapshot in list(snapshots):
        if getattr(snapshots[snapshot], key) == id:
            del snapshots[snapshot]


def control_database(account, region, id, kms_key_id=None):
    backend = rds_backends[account][region]
    settings = {
        "db_instance_identifier": id,
        "db_instance_class": "db.t3.micro",
        "engine": "postgres",
        "allocated_storage": 20,
    }
    encrypted = {"storage_encrypted": True, "kms_key_id": kms_key_id} if kms_key_id else {}
    backend.create_db_instance(settings | encrypted)
    remove_snapshots(backend.database_snapshots, "db_instance_identifier", id)


def control_cluster(account, region, id, engine="aurora-postgresql", kms_key_id=None, instance=None):
    backend = rds_backends[account][region]
    settings = {
        "db_cluster_identifier": id,
        "engine": engine,
        "master_username": "admin",
        "master_user_password": "not-a-secret",
    }
    encrypted = {"storage_encrypted": True, "kms_key_id": kms_key_id} if kms_key_id else {}
    backend.create_db_cluster(settings | encrypted)
    if instance:
        backend.create_db_instance(
            {
                "db_instance_identifier": instance,
                "db_instance_class": "db.r5.large",
                "engine": engine,
                "db_cluster_identifier": id,
            }
        )
        remove_snapshots(backend.database_snapshots, "db_instance_identifier", instance)
    remove_snapshots(backend.cluster_snapshots, "db_cluster_identifier", id)


def control_cluster_snapshot(
    account, region, db_cluster, created, id=None, type="automated", tags=None, status="available"
):
    backend = rds_backends[account][region]
    created_at = when(created)
    id = id or f"rds:{db_cluster}-{created_at:%Y-%m-%d-%H-%M}"
    snapshot = backend.create_db_cluster_snapshot(db_cluster, id, snapshot_type=type, tags=pairs(tags))
    snapshot.created, snapshot.status = created_at, status
    return {"id": snapshot.db_cluster_snapshot_identifier, "arn": snapshot.arn}


def control_cluster_copies(account, region):
    snapshots = rds_backends[account][region].cluster_snapshots.values()
    return [snapshot.db_cluster_snapshot_identifier for snapshot in snapshots if snapshot.snapshot_type == "manual"]


def control_forget(account, region, id):
    del rds_backends[account][region].databases[id]


def control_snapshot(
    account,
    region,
    db_instance,
    created,
    id=None,
    type="automated",
    tags=None,
    status="available",
    option_group_name=None,
    instance_created=None,
):
    backend = rds_backends[account][region]
    created_at = when(created)
    id = id or f"rds:{db_instance}-{created_at:%Y-%m-%d-%H-%M}"
    snapshot = backend.create_db_snapshot(
        db_instance, id, snapshot_type=type, tags=pairs(tags), original_created_at=created_at
    )
    snapshot.created, snapshot.status, snapshot.option_group_name = created_at, status, option_group_name
    if instance_created:
        snapshot.instance_create_time = when(instance_created)
    return {"id": snapshot.db_snapshot_identifier, "arn": snapshot.arn}


def control_key(account, region):
    backend = kms_backends[account][region]
    key = backend.create_key(
        policy="", key_usage="ENCRYPT_DECRYPT", key_spec="SYMMETRIC_DEFAULT", description="xrs", tags=[]
    )
    return {"arn": key.arn}


def resource(account, region, id):
    image = ec2_backends[account][region].amis.get(id)
    return image or rds_backends[account][region].database_snapshots[id]


def control_state(account, region, id, state):
    found = resource(account, region, id)
    found.xrs_progress = None
    setattr(found, "state" if id.startswith("ami-") else "status", state)


def control_tag(account, region, id, tags):
    ec2_backends[account][region].amis[id].add_tags(tags)


def control_list(account, region, type):
    snapshots = rds_backends[account][region].database_snapshots.values()
    return [snapshot.db_snapshot_identifier for snapshot in snapshots if snapshot.snapshot_type == type]


def control_rename(account, region, **request):
    snapshots = rds_backends[account][region].database_snapshots
    snapshot = snapshots.pop(request["from"])
    snapshot.db_snapshot_identifier, snapshot.tags = request["id"], pairs(request["tags"])
    snapshots[request["id"]] = snapshot


def control_images(account, region):
    return [image.id for image in ec2_backends[account][region].amis.values() if image.owner_id == account]


def control_disks(account, region):
    return [disk.id for disk in ec2_backends[account][region].snapshots.values() if disk.owner_id == account]


def control_copy(account, region, from_region, **request):
    source = rds_backends[account][from_region].database_snapshots[request["from"]]
    copy = rds_backends[account][region].copy_db_snapshot(source.arn, request["id"], tags=pairs(request["tags"]))
    copy.status, copy.xrs_progress = "available", None


def control_stored(account, region, id):
    found = resource(account, region, id)
    if not id.startswith("ami-"):
        return {"tags": {tag["Key"]: tag["Value"] for tag in found.tags}, "kms_key_id": found.kms_key_id}
    backing = found.ebs_snapshot
    return {
        "tags": {tag["key"]: tag["value"] for tag in found.get_tags()},
        "snapshot_id": backing.id,
        "snapshot_tags": {tag["key"]: tag["value"] for tag in backing.get_tags()},
        "encrypted": bool(backing.encrypted),
        "kms_key_id": backing.kms_key_id,
    }


def control_fleet(account, region, to, databases, images, days, copied):
    for number in range(databases):
        name = f"db-{number}"
        control_database(account, region, name)
        for day in range(1, days + 1):
            source = control_snapshot(account, region, name, f"2026-01-{day:02}T05:10:33Z", tags={"Team": "data"})
            if day <= copied:
                sync_tag = {f"Sync-From-{region}": f"202601{day:02}051033+0000 / {source['id']}"}
                request = {"from": source["id"], "id": source["id"].replace(":", "-"), "tags": sync_tag}
                control_copy(account, to, region, **request)
    for number in range(images):
        tags = {"Sync-Identifier": f"app-{number}", "Team": "web"}
        control_image(account, region, f"app-{number}", created="2026-01-14T22:00:00Z", tags=tags)


def control_reset(account, region):
    with LOCK:
        LOG[:] = [call for call in LOG if call["account"] != account]
        ERRORS[:] = [error for error in ERRORS if error["account"] != account]
        patches.SETTINGS.pop(account, None)


def control_clear(account, region):
    for backends in (ec2_backends, rds_backends):
        for backend in backends[account].values():
            backend.reset()


def control_processor(account, region):
    return time.process_time()


CONTROLS = {
    name.removeprefix("control_"): control for name, control in list(globals().items()) if name.startswith("control_")
}


def control(name, body):
    request = json.loads(body or b"{}")
    account, region = request.pop("account", None), request.pop("region", None)
    try:
        with TURN:
            return "200 OK", json.dumps(CONTROLS[name](account, region, **request))
    except Exception as error:  # the test fails with it
        return "400 Bad Request", json.dumps({"error": f"{type(error).__name__}: {error}"})


def headers(kind, text):
    return [("Content-Type", kind), ("Content-Length", str(len(text.encode())))]


# Calls


def error_answer(service, error):
    told = f"<Code>{escape(error['code'])}</Code><Message>{escape(error['message'])}</Message>"
    if service == "ec2":
        return f"<Response><Errors><Error>{told}</Error></Errors><RequestID>0</RequestID></Response>"
    return f"<ErrorResponse><Error><Type>Sender</Type>{told}</Error><RequestId>0</RequestId></ErrorResponse>"


def injected(call, body):
    with LOCK:
        for error in ERRORS:
            fits = all(error[name] in (None, call[name]) for name in ("account", "region", "action"))
            if fits and error["times"] != 0 and error["contains"] in body:
                error["times"] -= 1
                return error
    return None


class Tests:
    """moto, with the controls, the log and the errors of the tests."""

    def __init__(self, app):
        self.app = app

    def __call__(self, environ, start_response):
        length = int(environ.get("CONTENT_LENGTH") or 0)
        raw = environ["wsgi.input"].read(length)
        path = environ.get("PATH_INFO", "")
        if path.startswith("/xrs/"):
            status, text = control(path.removeprefix("/xrs/"), raw)
            start_response(status, headers("application/json", text))
            return [text.encode()]
        call = self.call(environ, raw)
        time.sleep(patches.setting(call["account"], "latency"))
        error = injected(call, raw.decode())
        if error is None or error["after"]:
            answer = self.answer(environ, raw, call)
        if error is not None:
            call["status"] = error["status"]
            text = error.get("body") or error_answer(call["service"], error)
            answer = (f"{error['status']} Injected", headers("text/xml", text), [text.encode()])
        call["end"] = time.time()
        with LOCK:
            LOG.append(call)
        status, fields, chunks = answer
        start_response(status, fields)
        return chunks

    @staticmethod
    def call(environ, raw):
        scope = environ.get("HTTP_AUTHORIZATION", "").split("Credential=")[-1].split(",")[0].split("/")
        key, _, region, service = scope[:4] if len(scope) >= 4 else ("", "", None, None)
        if key.startswith(KEY_PREFIX):
            account = environ["HTTP_X_MOTO_ACCOUNT_ID"] = key.removeprefix(KEY_PREFIX)
        else:  # keys created by moto's STS
            account = get_account_id_from(key)
        params = dict(parse_qsl(raw.decode(), keep_blank_values=True))
        action = params.pop("Action", None)
        agent = environ.get("HTTP_USER_AGENT", "")
        return {
            "account": account,
            "service": service,
            "region": region,
            "action": action,
            "params": params,
            "agent": agent,
            "start": time.time(),
        }

    def answer(self, environ, raw, call):
        environ["wsgi.input"] = io.BytesIO(raw)
        kept = {}

        def keep(status, fields, exc_info=None):
            kept.update(status=status, fields=fields)

        with TURN:
            chunks = list(self.app(environ, keep))
        call["status"] = int(kept["status"].split()[0])
        return kept["status"], kept["fields"], chunks


def end_with_the_tests():
    sys.stdin.buffer.read()
    os._exit(0)


def main():
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    patches.apply()
    image_use.apply()
    app = Tests(DomainDispatcherApplication(create_backend_app))
    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=MotoRequestHandler)
    print(json.dumps({"port": server.server_port}), flush=True)
    threading.Thread(target=end_with_the_tests, daemon=True).start()
    server.serve_forever()


if __name__ == "__main__":
    main()
