-- Each reading is a step that holds until the next one, but no longer than three median gaps of its day or five
-- minutes: beyond that nobody knows. The median gap is that in which the middle of the sampled time lies, so that two
-- scrapers that follow one another by seconds hold no shorter than one; longer gaps than five minutes are silences.
-- A run goes on while one step follows another without a gap and shows the same.
with beside as (
    select
        *,
        lead(at_second) over (partition by gpu_number order by at_second) as next_second,
        lag(at_second) over (partition by gpu_number order by at_second) as previous_second,
        lag(shown_number) over (partition by gpu_number order by at_second) as previous_number,
        lag(shared_number) over (partition by gpu_number order by at_second) as previous_sharers
    from gpu_readings
),

gaps as (
    select
        gpu_number,
        next_second - at_second as gap_seconds,
        count(*) as gap_count
    from beside
    where next_second is not null
    group by gpu_number, next_second - at_second
),

summed_gaps as (
    select
        *,
        sum(gap_count * gap_seconds) over (
            partition by gpu_number
            order by gap_seconds
            rows between unbounded preceding and current row
        ) as counted,
        sum(gap_count * gap_seconds) over (partition by gpu_number) as all_counted
    from gaps
    where gap_seconds <= 300
),

-- the lower median
holds as (
    select
        gpu_number,
        least(3 * min(gap_seconds), 300) as hold_seconds
    from summed_gaps
    where counted * 2 >= all_counted
    group by gpu_number
),

stretched as (
    select
        beside.gpu_number,
        beside.at_second,
        beside.shown_number,
        beside.shared_number,
        beside.unfilled_ppm,
        least(
            coalesce(beside.next_second, beside.at_second + 300), beside.at_second + coalesce(holds.hold_seconds, 300)
        ) as end_second,
        case
            when
                beside.at_second <= beside.previous_second + holds.hold_seconds
                and beside.shown_number = beside.previous_number
                and beside.shared_number = beside.previous_sharers
                then 0
            else 1
        end as is_start
    from beside
    left join holds on beside.gpu_number = holds.gpu_number
)

select
    gpu_number,
    sum(is_start) over (
        partition by gpu_number
        order by at_second
        rows between unbounded preceding and current row
    ) as run_number,
    shown_number,
    shared_number,
    at_second,
    end_second,
    unfilled_ppm
from stretched
