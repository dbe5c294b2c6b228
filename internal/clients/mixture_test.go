package clients_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
)

// mixture draws commands that write, of all types and in all their ways, as Redis 7.0 knows them: what they leave is to be the same on a replica.
type mixture struct {
	rng  *rand.Rand
	keys int // of each type
}

// writes are the patterns that it draws from. A word that begins with $ is drawn: $l a list's key, $s a set's, $h a hash's, $z a sorted set's, $x a stream's,
// $k a string's, $g geo's, $p HyperLogLog's; $v a value, $m a member, $n a number, $f a fraction, $t milliseconds that are soon over.
var writes = strings.Split(strings.TrimSpace(`
set $k $v
set $k $v ex 100
set $k $v px $t
set $k $v nx get
set $k $v keepttl
setex $k 100 $v
psetex $k $t $v
setnx $k $v
getset $k $v
getdel $k
getex $k px $t
getex $k persist
append $k $v
setrange $k $n $v
mset $k $v $k $v $k $v
msetnx $k $v $k $v
del $k
set counter:$m 1
incr counter:$m
incrby counter:$m $n
decr counter:$m
incrbyfloat float:$m $f
setbit bits:$m $n 1
bitfield bits:$m set u8 $n 200 incrby i5 10 3
bitop or bits:$m bits:$m bits:$m
lpush $l $v $v
rpush $l $v $v $v
lpushx $l $v
lpop $l
rpop $l 2
linsert $l before $v $v
lset $l 0 $v
lrem $l 1 $v
ltrim $l 0 200
lmove $l $l left right
rpoplpush $l $l
lmpop 2 $l $l left count 2
blpop $l $l 0.001
blmove $l $l right left 0.001
sadd $s $m $m $m
sadd $s $n $n
srem $s $m
spop $s
spop $s 3
smove $s $s $m
sinterstore $s $s $s
sunionstore $s $s $s
sdiffstore $s $s $s
hset $h $m $v $m $v
hsetnx $h $m $v
hdel $h $m
hincrby counts:$h $m $n
hincrbyfloat fractions:$h $m $f
hmset $h $m $v
zadd $z $f $m $f $m
zadd $z gt ch $f $m
zadd $z nx $f $m
zincrby $z $f $m
zrem $z $m
zpopmin $z
zpopmax $z 2
zmpop 1 $z min
bzpopmin $z 0.001
zremrangebyrank $z 0 1
zremrangebyscore $z 0 1
zrangestore $z $z 0 -1
zunionstore $z 2 $z $z weights 1 2
zinterstore $z 2 $z $z aggregate max
zdiffstore $z 2 $z $z
xadd $x * $m $v
xadd $x maxlen ~ 100 * $m $v $m $v
xadd $x nomkstream minid = 1 * $m $v
xtrim $x maxlen 150
xgroup create $x group $$ mkstream
xgroup createconsumer $x group $m
xgroup delconsumer $x group $m
xgroup setid $x group 0
xreadgroup group group $m count 3 streams $x >
xautoclaim $x group $m 0 0 count 2
xsetid $x 9999999999999-0
geoadd $g 13.361389 38.115556 $m 15.087269 37.502669 $m
geosearchstore $g $g frommember $m byradius 500 km
georadius $g 15 37 200 km store $z
pfadd $p $m $m
pfmerge $p $p $p
pfcount $p
expire $k 100
pexpire $l $t
pexpireat $s 4102444800000
expire $h -1
persist $l
rename $k $k
renamenx $l $l
copy $z $z replace
copy $h $h
move $k 1
sort $l alpha store $l
sort $s limit 0 5 alpha store $l
eval redis.call('set',KEYS[1],ARGV[1]);redis.call('pexpire',KEYS[1],ARGV[2]);return{redis.call('spop',KEYS[2])} 2 $k $s $v $t
eval return{redis.call('lpush',KEYS[1],ARGV[1]),redis.call('incrbyfloat',KEYS[2],ARGV[2]),redis.call('nope')} 2 $l float:$m $v $f
multi
exec
exec
select 0
select 1
publish channel $v
unlink $l
unlink $s $h
flushdb
swapdb 0 1
`), "\n")

// rare are drawn once in a while only: they leave little.
var rare = map[string]bool{"flushdb": true, "swapdb": true, "expire": true, "unlink": true, "ltrim": true}

// next is a command.
func (m *mixture) next() []string {
	for {
		words := strings.Fields(writes[m.rng.IntN(len(writes))])
		if rare[words[0]] && m.rng.IntN(20) > 0 {
			continue
		}
		for i, w := range words {
			if at := strings.IndexByte(w, '$'); at >= 0 && len(w) == at+2 {
				words[i] = w[:at] + m.word(w[at+1])
			}
		}
		return words
	}
}

func (m *mixture) word(kind byte) string {
	switch kind {
	case 'v':
		if m.rng.IntN(30) == 0 {
			return strings.Repeat("long ", 1+m.rng.IntN(4000))
		}
		return fmt.Sprintf("value-%d", m.rng.IntN(100))
	case 'm':
		return fmt.Sprintf("m%d", m.rng.IntN(300))
	case 'n':
		return fmt.Sprint(m.rng.IntN(1000))
	case 'f':
		return fmt.Sprint(float64(m.rng.IntN(400)-200) / 4) // others have a digit more or less in the digest of Redis 7.0 than in 7.2's
	case 't':
		return fmt.Sprint(1 + m.rng.IntN(400))
	case '$':
		return "$"
	}
	return fmt.Sprintf("%c:%d", kind, m.rng.IntN(m.keys))
}
