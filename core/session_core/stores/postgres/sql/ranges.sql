-- Parts of a record: arrays of pairs, first and last sequence number, as ranges.py and rules.py have them.

CREATE FUNCTION joined_seqs(p_seqs integer[]) RETURNS integer[]
LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
    v_made integer[] := '{}';
    v_count integer := 0;
    v_seq integer;
BEGIN
    FOREACH v_seq IN ARRAY p_seqs LOOP
        IF v_count > 0 AND v_made[v_count] + 1 = v_seq THEN
            v_made[v_count] := v_seq;
        ELSE
            v_made := v_made || v_seq || v_seq;
            v_count := v_count + 2;
        END IF;
    END LOOP;
    RETURN v_made;
END $$;

CREATE FUNCTION pairs(p_pairs integer[]) RETURNS TABLE (n integer, first integer, last integer)
LANGUAGE sql IMMUTABLE AS $$
    SELECT i, p_pairs[i], p_pairs[i + 1] FROM generate_series(1, cardinality(p_pairs), 2) AS i
$$;

CREATE FUNCTION as_set(p_pairs integer[]) RETURNS int4multirange
LANGUAGE sql IMMUTABLE AS $$
    SELECT coalesce(range_agg(int4range(first, last, '[]')), '{}'::int4multirange) FROM pairs(p_pairs)
$$;

CREATE FUNCTION begins(p_part integer[], p_covers integer[]) RETURNS boolean
LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
    v_end integer := cardinality(p_covers);
BEGIN
    RETURN v_end = 0 OR (
        cardinality(p_part) >= v_end
        AND p_part[1 : v_end - 1] = p_covers[1 : v_end - 1]
        AND p_part[v_end] >= p_covers[v_end]
    );
END $$;

CREATE FUNCTION behind(p_part integer[], p_covers integer[]) RETURNS integer[]
LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
    v_end integer := cardinality(p_covers);
BEGIN
    IF v_end = 0 THEN
        RETURN p_part;
    ELSIF p_covers[v_end] < p_part[v_end] THEN
        RETURN ARRAY[p_covers[v_end] + 1, p_part[v_end]] || p_part[v_end + 1 :];
    END IF;
    RETURN p_part[v_end + 1 :];
END $$;

-- The head after new numbers, where each of p_olds makes place for its p_news.
CREATE FUNCTION grown_head(p_head integer[], p_first integer, p_last integer, p_olds integer[], p_news integer[])
RETURNS integer[]
LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    IF p_last < p_first THEN
        RETURN p_head;
    ELSIF cardinality(p_olds) = 0 THEN
        IF p_head[cardinality(p_head)] = p_first - 1 THEN
            p_head[cardinality(p_head)] := p_last;
            RETURN p_head;
        END IF;
        RETURN p_head || p_first || p_last;
    END IF;
    RETURN joined_seqs(array(
        WITH replaced AS (
            SELECT old, new, n FROM unnest(p_olds, p_news) WITH ORDINALITY AS r (old, new, n)
        ), instead AS (
            SELECT DISTINCT ON (old) old, new FROM replaced ORDER BY old, n DESC
        ), head AS (
            SELECT seq, row_number() OVER (ORDER BY p.n, seq) AS place
            FROM pairs(p_head) AS p, generate_series(p.first, p.last) AS seq
        ), kept AS (
            SELECT coalesce(new, seq) AS seq, min(place) AS place
            FROM head LEFT JOIN instead ON old = seq GROUP BY 1
        ), taken AS (
            SELECT new FROM replaced JOIN head ON seq = old
        )
        SELECT seq FROM (
            SELECT 1 AS half, place, seq FROM kept
            UNION ALL
            SELECT 2, fresh, fresh FROM generate_series(p_first, p_last) AS fresh
            WHERE fresh NOT IN (SELECT new FROM taken)
        ) AS ordered ORDER BY half, place
    ));
END $$;
