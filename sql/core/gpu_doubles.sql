-- Seldom any: an instant that several holders share stands once a holder among the samples, and two scrapers may meet
-- in one second. Only these are brought together: the many others are one sample each, and pass as they are. An instant
-- that one series calls held and another free is held.
with doubled as (
    select
        gpu_number,
        at_second
    from gpu_sampled
    group by gpu_number, at_second
    having count(*) > 1
),

holders as (
    select distinct
        holder_number,
        holder
    from gpu_holder_numbers
),

-- nobody is the empty name, the first in order
readings as (
    select
        gpu_sampled.gpu_number,
        gpu_sampled.at_second,
        max(gpu_sampled.sm_active_ratio) as sm_active_ratio,
        max(gpu_sampled.dram_active_ratio) as dram_active_ratio,
        max(gpu_sampled.tensor_active_ratio) as tensor_active_ratio,
        max(gpu_sampled.gr_engine_active_ratio) as gr_engine_active_ratio,
        max(gpu_sampled.video_ratio) as video_ratio,
        max(gpu_sampled.gpu_util_ratio) as gpu_util_ratio,
        max(gpu_sampled.xid_code) as xid_code,
        min(gpu_sampled.holder_number) as first_holder,
        max(gpu_sampled.holder_number) as holder_number,
        array_to_string(list_sort(list(distinct holders.holder)), ',') as holders
    from gpu_sampled
    inner join doubled
        on
            gpu_sampled.gpu_number = doubled.gpu_number
            and gpu_sampled.at_second = doubled.at_second
    inner join holders on gpu_sampled.holder_number = holders.holder_number
    group by gpu_sampled.gpu_number, gpu_sampled.at_second
),

shared as (
    select
        *,
        case
            when first_holder = holder_number then '' when first_holder = 0 then substr(holders, 2) else holders
        end as shared_holders
    from readings
)

select
    gpu_number,
    at_second,
    sm_active_ratio,
    dram_active_ratio,
    tensor_active_ratio,
    gr_engine_active_ratio,
    video_ratio,
    gpu_util_ratio,
    xid_code,
    holder_number,
    shared_holders,
    case when shared_holders = '' then 0 else dense_rank() over (order by shared_holders) end as shared_number
from shared
