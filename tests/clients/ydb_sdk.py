"""The official Python SDK against the emulator: schema, parameters, types, transactions, conflicts, errors."""

import sys
import uuid
from concurrent.futures import ThreadPoolExecutor

import ydb


def text(value):
    return (value, ydb.PrimitiveType.Utf8)


def number(value):
    return (value, ydb.PrimitiveType.Int64)


def main(endpoint, database):
    driver = ydb.Driver(endpoint=endpoint, database=database, credentials=ydb.AnonymousCredentials())
    driver.wait(timeout=10, fail_fast=True)
    with ydb.QuerySessionPool(driver) as pool:
        pool.execute_with_retries(
            "CREATE TABLE items (id Utf8 NOT NULL, n Int64 NOT NULL, note Utf8, at Timestamp, raw String, whose Uuid,"
            " INDEX by_n GLOBAL SYNC ON (n), PRIMARY KEY (id))"
        )
        pool.execute_with_retries(
            "DECLARE $id AS Utf8; DECLARE $n AS Int64;"
            " UPSERT INTO items (id, n, note, raw) VALUES ($id, $n, 'x'u, 'y')",
            {"$id": text("a"), "$n": number(1)},
        )
        row_type = ydb.StructType()
        row_type.add_member("id", ydb.PrimitiveType.Utf8)
        row_type.add_member("n", ydb.PrimitiveType.Int64)
        row_type.add_member("whose", ydb.PrimitiveType.UUID)
        whose = uuid.UUID("00112233-4455-6677-8899-aabbccddeeff")
        rows = [{"id": "b", "n": 2, "whose": whose}, {"id": "c", "n": 2, "whose": whose}]
        pool.execute_with_retries(
            "UPSERT INTO items SELECT * FROM AS_TABLE($rows)", {"$rows": (rows, ydb.ListType(row_type))}
        )
        (found,) = pool.execute_with_retries("SELECT id, n, note, raw, whose FROM items ORDER BY id")
        assert [(row.id, row.n, row.note, row.raw, row.whose) for row in found.rows] == [
            ("a", 1, "x", b"y", None), ("b", 2, None, None, whose), ("c", 2, None, None, whose),
        ], found.rows
        (found,) = pool.execute_with_retries(
            "SELECT id FROM items VIEW by_n WHERE n = $n", {"$n": number(2)}
        )
        assert sorted(row.id for row in found.rows) == ["b", "c"]
        counts_right(pool)
        refuses(pool)
    described = driver.table_client.session().create().describe_table(f"{database}/items")
    assert [column.name for column in described.columns] == ["id", "n", "note", "at", "raw", "whose"]
    assert [index.name for index in described.indexes] == ["by_n"]
    listed = driver.scheme_client.list_directory(database)
    assert [entry.name for entry in listed.children] == ["items"]
    driver.stop()
    print("passed")


def counts_right(pool):
    """Threads that count one row up; the SDK tries again after ABORTED."""

    def count(_):
        def work(tx):
            with tx.execute("SELECT n FROM items WHERE id = 'a'u") as sets:
                n = next(iter(sets)).rows[0].n
            with tx.execute(
                "UPDATE items SET n = $n WHERE id = 'a'u", {"$n": number(n + 1)}, commit_tx=True
            ):
                pass

        pool.retry_tx_sync(work)

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(count, range(20)))
    (found,) = pool.execute_with_retries("SELECT n FROM items WHERE id = 'a'u")
    assert found.rows[0].n == 21, found.rows


def refuses(pool):
    once = ydb.RetrySettings(max_retries=0)
    for error, query in [
        (ydb.issues.PreconditionFailed, "INSERT INTO items (id, n) VALUES ('a', 1)"),
        (ydb.issues.SchemeError, "SELECT id FROM nothing WHERE id = 'a'"),
        (ydb.issues.GenericError, "SELECT id FROM items"),
        (ydb.issues.BadRequest, "UPSERT INTO items (id) VALUES ('a')"),
    ]:
        try:
            pool.execute_with_retries(query, retry_settings=once)
        except error:
            continue
        raise AssertionError(f"not refused: {query}")


main(*sys.argv[1:])
