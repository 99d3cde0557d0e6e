-- The journal. `events` is the record; `turns` and `audit` are kept in the same transaction as the
-- events they come from; all else is a view. Times are UTC.
-- `user` is a reserved word in standard SQL, so it is quoted; `at` is one in DuckDB, so columns are `..._at`.

-- Consecutive text_delta events of a turn may share a row: `seq` to `last_seq`, and the payload keeps
-- the length and time of each piece.
CREATE TABLE IF NOT EXISTS events (
    turn_id VARCHAR NOT NULL,
    seq INTEGER NOT NULL,
    created_at TIMESTAMP NOT NULL,
    type VARCHAR NOT NULL,
    payload JSON NOT NULL,
    last_seq INTEGER NOT NULL
);

CREATE TABLE IF NOT EXISTS turns (
    turn_id VARCHAR NOT NULL,
    conversation_id VARCHAR NOT NULL,
    "user" VARCHAR NOT NULL,
    face VARCHAR NOT NULL,
    command VARCHAR NOT NULL,
    workspace VARCHAR NOT NULL,
    request_id VARCHAR NOT NULL,
    trace_id VARCHAR NOT NULL,
    provider VARCHAR NOT NULL,
    model VARCHAR NOT NULL,
    started_at TIMESTAMP NOT NULL,
    finished_at TIMESTAMP,
    outcome VARCHAR,
    input_tokens BIGINT,
    output_tokens BIGINT,
    cost_usd DOUBLE,
    parent_turn_id VARCHAR,
    process VARCHAR NOT NULL
);

-- Digests, never texts; each row's hash covers the row before it, so a removed or changed row shows.
CREATE TABLE IF NOT EXISTS audit (
    seq BIGINT NOT NULL,
    created_at TIMESTAMP NOT NULL,
    "user" VARCHAR NOT NULL,
    action VARCHAR NOT NULL,
    subject VARCHAR NOT NULL,
    detail VARCHAR NOT NULL,
    previous_hash VARCHAR NOT NULL,
    hash VARCHAR NOT NULL
);

-- How far each spool file of another process was taken in.
CREATE TABLE IF NOT EXISTS spools (name VARCHAR NOT NULL, taken BIGINT NOT NULL);

CREATE TABLE IF NOT EXISTS probe (checked_at TIMESTAMP NOT NULL);

CREATE OR REPLACE VIEW messages AS
WITH answers AS (
    SELECT
        turn_id,
        string_agg(payload ->> '$.text', '' ORDER BY seq) FILTER (type = 'text_delta') AS words,
        string_agg((payload ->> '$.tool') || ': ' || (payload ->> '$.summary'), chr(10) ORDER BY seq)
            FILTER (type = 'tool_finished') AS summaries,
        max(created_at) AS created_at
    FROM events
    WHERE type IN ('text_delta', 'tool_finished')
    GROUP BY turn_id
)
SELECT
    turns.conversation_id,
    turns.turn_id,
    'user' AS role,
    coalesce(nullif(events.payload ->> '$.question', ''), '/' || turns.command) AS content,
    turns.started_at AS created_at
FROM turns
JOIN events ON events.turn_id = turns.turn_id AND events.type = 'turn_started'
UNION ALL
SELECT
    turns.conversation_id,
    turns.turn_id,
    'assistant' AS role,
    coalesce(nullif(answers.words, ''), answers.summaries) AS content,
    coalesce(turns.finished_at, answers.created_at) AS created_at
FROM turns
JOIN answers ON answers.turn_id = turns.turn_id
WHERE content IS NOT NULL;

CREATE OR REPLACE VIEW tool_runs AS
SELECT
    started.turn_id,
    started.payload ->> '$.call_id' AS call_id,
    started.payload ->> '$.tool' AS tool,
    started.payload -> '$.arguments' AS arguments,
    finished.payload ->> '$.outcome' AS outcome,
    finished.payload ->> '$.summary' AS summary,
    started.created_at AS started_at,
    CAST(finished.payload ->> '$.duration_ms' AS BIGINT) AS duration_ms
FROM events AS started
LEFT JOIN events AS finished
    ON finished.turn_id = started.turn_id
    AND finished.type = 'tool_finished'
    AND (finished.payload ->> '$.call_id') = (started.payload ->> '$.call_id')
WHERE started.type = 'tool_started';

CREATE OR REPLACE VIEW approvals AS
SELECT
    asked.payload ->> '$.approval_id' AS approval_id,
    asked.turn_id,
    asked.payload ->> '$.kind' AS kind,
    asked.payload ->> '$.subject_id' AS subject_id,
    asked.payload ->> '$.risk' AS risk,
    answered.payload ->> '$.decision' AS decision,
    answered.payload ->> '$.by' AS decided_by,
    asked.created_at,
    answered.created_at AS decided_at
FROM events AS asked
LEFT JOIN events AS answered
    ON answered.type = 'approval_resolved'
    AND (answered.payload ->> '$.approval_id') = (asked.payload ->> '$.approval_id')
WHERE asked.type = 'approval_required';

CREATE OR REPLACE VIEW changes AS
WITH proposed AS (
    SELECT
        payload ->> '$.change_set_id' AS change_set_id,
        turn_id,
        unnest(from_json(
            payload -> '$.files',
            '[{"path":"VARCHAR","action":"VARCHAR","before_sha256":"VARCHAR","after_sha256":"VARCHAR"}]'
        )) AS file
    FROM events
    WHERE type = 'change_set_proposed'
),
written AS (
    SELECT
        payload ->> '$.data.change_set_id' AS change_set_id,
        payload ->> '$.data.done' AS done,
        unnest(from_json(payload -> '$.data.files', '[{"path":"VARCHAR"}]')).path AS path,
        created_at
    FROM events
    WHERE type = 'tool_finished' AND (payload ->> '$.data.change_set_id') IS NOT NULL
)
SELECT
    proposed.change_set_id,
    proposed.turn_id,
    proposed.file.path AS path,
    proposed.file.action AS action,
    nullif(proposed.file.before_sha256, '') AS before_sha256,
    nullif(proposed.file.after_sha256, '') AS after_sha256,
    applied.created_at AS applied_at,
    undone.created_at AS undone_at
FROM proposed
LEFT JOIN written AS applied
    ON applied.done = 'applied'
    AND applied.change_set_id = proposed.change_set_id
    AND applied.path = proposed.file.path
LEFT JOIN written AS undone
    ON undone.done = 'undone'
    AND undone.change_set_id = proposed.change_set_id
    AND undone.path = proposed.file.path;

CREATE OR REPLACE VIEW usage_daily AS
SELECT
    CAST(started_at AS DATE) AS day,
    "user",
    provider,
    model,
    count(*) AS turns,
    CAST(coalesce(sum(input_tokens), 0) AS BIGINT) AS input_tokens,
    CAST(coalesce(sum(output_tokens), 0) AS BIGINT) AS output_tokens,
    sum(cost_usd) AS cost_usd
FROM turns
GROUP BY ALL;
