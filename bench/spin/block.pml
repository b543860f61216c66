/* One sender, one target that blocks: the races of principle, for SPIN. (tests/lab/principle.py has the same in Python)

   spin -a -DSENDER=0 -DTARGET=1 -DTSO block.pml && gcc -O2 -DSAFETY -o pan pan.c && ./pan

   SENDER: 0 sets IRR, reads IsRunning; 1 the other way round; 2 sets IRR without a barrier;
           3 sets IRR, asks v->is_running (X02); 4 sets IRR, always unblocks.
   TARGET: 0 clears IsRunning locked, reads IRR; 1 clears it by a plain store (X03); 2 reads IRR first; 3 never clears (X01).
   No program loads a place that it has stored to before, so store forwarding is not modelled. */

#define IRR 0
#define ENTRY 1
#define FLAGS 2
#define IS_RUNNING 3
byte mem[4];
byte bell;

chan sender_buffer = [2] of { byte, byte };
chan target_buffer = [2] of { byte, byte };

#ifdef TSO
#define STORE(buffer, place, value) buffer!place, value
#define LOCKED(buffer, place, value) atomic { empty(buffer) -> mem[place] = value }
proctype drain(chan buffer) {
  byte place, value;
end:
  do
  :: atomic { buffer?place, value -> mem[place] = value; place = 0; value = 0 }
  od
}
#else
#define STORE(buffer, place, value) mem[place] = value
#define LOCKED(buffer, place, value) mem[place] = value
#endif

#define RING_OR_KICK(runs) if :: runs -> bell = 1 :: else -> LOCKED(sender_buffer, FLAGS, 0) fi

proctype sender() {
  byte runs;
#if SENDER == 0
  LOCKED(sender_buffer, IRR, 1); runs = mem[ENTRY]; RING_OR_KICK(runs)
#elif SENDER == 1
  runs = mem[ENTRY]; LOCKED(sender_buffer, IRR, 1); RING_OR_KICK(runs)
#elif SENDER == 2
  runs = mem[IRR]; STORE(sender_buffer, IRR, 1); runs = mem[ENTRY]; RING_OR_KICK(runs)
#elif SENDER == 3
  LOCKED(sender_buffer, IRR, 1); runs = mem[IS_RUNNING]; RING_OR_KICK(runs)
#else
  LOCKED(sender_buffer, IRR, 1); LOCKED(sender_buffer, FLAGS, 0)
#endif
}

#define SLEEP_OR_NOT(irr) if :: irr -> LOCKED(target_buffer, FLAGS, 0) :: else -> STORE(target_buffer, IS_RUNNING, 0) fi

proctype target() {
  byte irr;
  LOCKED(target_buffer, FLAGS, 1);
#if TARGET == 0
  LOCKED(target_buffer, ENTRY, 0); irr = mem[IRR]
#elif TARGET == 1
  irr = mem[ENTRY]; STORE(target_buffer, ENTRY, 0); irr = mem[IRR]
#elif TARGET == 2
  irr = mem[IRR]; LOCKED(target_buffer, ENTRY, 0)
#else
  irr = mem[IRR]
#endif
  ; SLEEP_OR_NOT(irr)
}

init {
  mem[ENTRY] = 1; mem[IS_RUNNING] = 1;
  atomic {
#ifdef TSO
    run drain(sender_buffer); run drain(target_buffer);
#endif
    run sender(); run target()
  }
  timeout -> assert(!(mem[FLAGS] == 1 && mem[IRR] == 1))
}
