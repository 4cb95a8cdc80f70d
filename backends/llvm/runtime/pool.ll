; The pool of threads: workers spin for the next job, then sleep in the kernel.
;
; A pool is an array of i64, one cache line each:
;   0 the function `share`, for generated code   8 generation of the current job
;   16 next core to run   24 state of the job   32.. the job: function, cores, arrays, scratch,
;   stride, chunk (32 to 37)   40 sleeping workers   48 number of workers
;   49 pauses before a worker sleeps   50 the workers' numbers in the system
;   51 processors that they may use, as the system has them   52 bytes of that   53 loosened
;   56 stop
;
; The state is generation * 65536 + closed * 32768 + workers that take part. A worker joins while
; the state is open and of the generation it saw; the caller closes it when no core is left, and
; waits for those that joined. One that wakes too late is not waited for, and a job's fields are
; never read after they change.

declare i64 @syscall(i64, ...)
declare i32 @usleep(i32)

define internal void @pause() alwaysinline nounwind {
  PAUSE
  ret void
}

; Run cores until none is left; `id` picks the part of the scratch memory.
define internal void @work(ptr %pool, i64 %id) nounwind {
entry:
  %next = getelementptr i64, ptr %pool, i64 16
  %job.f = getelementptr i64, ptr %pool, i64 32
  %job.n = getelementptr i64, ptr %pool, i64 33
  %job.a = getelementptr i64, ptr %pool, i64 34
  %job.s = getelementptr i64, ptr %pool, i64 35
  %job.d = getelementptr i64, ptr %pool, i64 36
  %job.c = getelementptr i64, ptr %pool, i64 37
  %f = load ptr, ptr %job.f
  %n = load i64, ptr %job.n
  %arrays = load ptr, ptr %job.a
  %scratches = load ptr, ptr %job.s
  %stride = load i64, ptr %job.d
  %chunk = load i64, ptr %job.c
  %offset = mul i64 %stride, %id
  %scratch = getelementptr i8, ptr %scratches, i64 %offset
  br label %take
take:
  %first = atomicrmw add ptr %next, i64 %chunk monotonic
  %some = icmp slt i64 %first, %n
  br i1 %some, label %run, label %end
run:
  %sum = add i64 %first, %chunk
  %over = icmp slt i64 %n, %sum
  %last = select i1 %over, i64 %n, i64 %sum
  call void %f(ptr %arrays, i64 %first, i64 %last, ptr %scratch)
  br label %take
end:
  ret void
}

; The life of worker `id`, from generation `born` on, until the pool is stopped.
define void @worker(ptr %pool, i64 %id, i64 %born) nounwind {
entry:
  %generation = getelementptr i64, ptr %pool, i64 8
  %state = getelementptr i64, ptr %pool, i64 24
  %sleepers = getelementptr i64, ptr %pool, i64 40
  %stop = getelementptr i64, ptr %pool, i64 56
  %spins = getelementptr i64, ptr %pool, i64 49
  %limit = load i64, ptr %spins
  br label %wait
wait:
  %seen = phi i64 [%born, %entry], [%now, %run], [%now, %try]
  br label %spin
spin:
  %n = phi i64 [0, %wait], [%n.next, %again], [0, %woken]
  %now = load atomic i64, ptr %generation acquire, align 8
  %changed = icmp ne i64 %now, %seen
  br i1 %changed, label %job, label %idle
idle:
  %patient = icmp slt i64 %n, %limit
  br i1 %patient, label %again, label %sleep
again:
  call void @pause()
  %n.next = add i64 %n, 1
  br label %spin
sleep:
  %s0 = atomicrmw add ptr %sleepers, i64 1 seq_cst
  SLEEP
  %s1 = atomicrmw sub ptr %sleepers, i64 1 seq_cst
  br label %woken
woken:
  br label %spin
job:
  %stopped = load atomic i64, ptr %stop monotonic, align 8
  %ends = icmp ne i64 %stopped, 0
  br i1 %ends, label %exit, label %join
join:
  %open = shl i64 %now, 16
  %old = load atomic i64, ptr %state acquire, align 8
  br label %try
try:
  %s = phi i64 [%old, %join], [%other, %retry]
  %members = sub i64 %s, %open
  %can = icmp ult i64 %members, 32768
  br i1 %can, label %enter, label %wait
enter:
  %more = add i64 %s, 1
  %swap = cmpxchg ptr %state, i64 %s, i64 %more acq_rel acquire
  %won = extractvalue { i64, i1 } %swap, 1
  br i1 %won, label %run, label %retry
retry:
  %other = extractvalue { i64, i1 } %swap, 0
  br label %try
run:
  call void @work(ptr %pool, i64 %id)
  %d = atomicrmw sub ptr %state, i64 1 release
  br label %wait
exit:
  ret void
}

; Begin a new generation and wake whoever sleeps.
define internal void @announce(ptr %pool) nounwind {
entry:
  %generation = getelementptr i64, ptr %pool, i64 8
  %sleepers = getelementptr i64, ptr %pool, i64 40
  %g = atomicrmw add ptr %generation, i64 1 seq_cst
  %s = load atomic i64, ptr %sleepers seq_cst, align 8
  %some = icmp sgt i64 %s, 0
  br i1 %some, label %wake, label %end
wake:
  WAKE
  br label %end
end:
  ret void
}

; Let every worker use all processors, the caller's too, until the caller says otherwise.
define internal void @loosen(ptr %pool) nounwind {
entry:
  %size = getelementptr i64, ptr %pool, i64 48
  %ids.at = getelementptr i64, ptr %pool, i64 50
  %cpus.at = getelementptr i64, ptr %pool, i64 51
  %bytes.at = getelementptr i64, ptr %pool, i64 52
  %loosened = getelementptr i64, ptr %pool, i64 53
  %workers = load i64, ptr %size
  %ids = load ptr, ptr %ids.at
  %cpus = load ptr, ptr %cpus.at
  %bytes = load i64, ptr %bytes.at
  %was = load i64, ptr %loosened
  store i64 1, ptr %loosened
  %first = icmp eq i64 %was, 0
  br i1 %first, label %next, label %end
next:
  %n = phi i64 [0, %entry], [%n.more, %next]
  %id.at = getelementptr i64, ptr %ids, i64 %n
  %id = load i64, ptr %id.at
  LOOSEN
  %n.more = add i64 %n, 1
  %more = icmp slt i64 %n.more, %workers
  br i1 %more, label %next, label %end
end:
  ret void
}

; Run `f` on the cores 0 .. n - 1, the caller as worker 0, and return when all are done.
define void @share(ptr %pool, ptr %f, i64 %n, ptr %arrays, ptr %scratch, i64 %stride) nounwind {
entry:
  %next = getelementptr i64, ptr %pool, i64 16
  %state = getelementptr i64, ptr %pool, i64 24
  %generation = getelementptr i64, ptr %pool, i64 8
  %job.f = getelementptr i64, ptr %pool, i64 32
  %job.n = getelementptr i64, ptr %pool, i64 33
  %job.a = getelementptr i64, ptr %pool, i64 34
  %job.s = getelementptr i64, ptr %pool, i64 35
  %job.d = getelementptr i64, ptr %pool, i64 36
  %job.c = getelementptr i64, ptr %pool, i64 37
  %size = getelementptr i64, ptr %pool, i64 48
  %workers = load i64, ptr %size
  %threads = add i64 %workers, 1
  %parts = mul i64 %threads, 8
  %fine = udiv i64 %n, %parts
  %chunk = call i64 @llvm.smax.i64(i64 %fine, i64 1)
  store ptr %f, ptr %job.f
  store i64 %n, ptr %job.n
  store ptr %arrays, ptr %job.a
  store ptr %scratch, ptr %job.s
  store i64 %stride, ptr %job.d
  store i64 %chunk, ptr %job.c
  store i64 0, ptr %next
  %g.old = load i64, ptr %generation
  %g = add i64 %g.old, 1
  %opened = shl i64 %g, 16
  store atomic i64 %opened, ptr %state release, align 8
  call void @announce(ptr %pool)
  call void @work(ptr %pool, i64 0)
  %was = atomicrmw or ptr %state, i64 32768 acq_rel
  br label %spin
spin:
  %n.spins = phi i64 [0, %entry], [%n.more, %again], [0, %nap]
  %s = load atomic i64, ptr %state acquire, align 8
  %members = and i64 %s, 32767
  %all = icmp eq i64 %members, 0
  br i1 %all, label %end, label %wait
wait:
  %patient = icmp slt i64 %n.spins, 4000
  br i1 %patient, label %again, label %nap
again:
  call void @pause()
  %n.more = add i64 %n.spins, 1
  br label %spin
nap:
  ; A hundred microseconds: other programs keep the last worker from its processor. This one is
  ; free, so let the worker have it.
  call void @loosen(ptr %pool)
  %y = call i32 @usleep(i32 20)
  br label %spin
end:
  ret void
}

; End every worker.
define void @stop(ptr %pool) nounwind {
entry:
  %stop = getelementptr i64, ptr %pool, i64 56
  store atomic i64 1, ptr %stop release, align 8
  call void @announce(ptr %pool)
  ret void
}

declare i64 @llvm.smax.i64(i64, i64)
