# Tasks that wait, fail and are cancelled.
import asyncio


async def fetch(name, seconds):
    await asyncio.sleep(seconds)
    return "<" + name + ">"


async def produce(queue):
    for number in range(5):
        await queue.put(number)
    await queue.put(None)


async def consume(queue):
    total = 0
    while (number := await queue.get()) is not None:
        total += number
    return total


async def forever():
    try:
        await asyncio.sleep(3600)
    finally:
        print("cleaned up")


async def fail():
    await asyncio.sleep(0.01)
    raise ValueError("broken")


async def main():
    pages = await asyncio.gather(
        fetch("one", 0.02), fetch("two", 0.01))
    print(*pages)

    try:
        await asyncio.wait_for(fetch("late", 60), 0.01)
    except asyncio.TimeoutError:
        print("too late")

    queue = asyncio.Queue(maxsize=2)
    async with asyncio.TaskGroup() as group:
        group.create_task(produce(queue))
        total = group.create_task(consume(queue))
    print("total", total.result())

    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(forever())
            group.create_task(fail())
    except* ValueError as failed:
        print("failed:", failed.exceptions[0])

    task = asyncio.create_task(forever())
    await asyncio.sleep(0)
    task.cancel()
    try:
        await task
    except asyncio.CancelledError:
        print("cancelled")


asyncio.run(main())
