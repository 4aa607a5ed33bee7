// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) the whawty-libvirt-usb-hotplugd contributors
//
// Runs the calls of one key in order and of several keys side by side, on a fixed number of threads. A key
// names what a call can get stuck on, a room how many calls of a kind may be stuck at a time.
#pragma once

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <latch>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <thread>
#include <utility>
#include <vector>

namespace whawty {

// Why a call will not run.
enum class Refusal {
  kStuck,   // an earlier call of its key is
  kNoRoom,  // the calls that have its room do not return
};

template <class Key>
class Dispatcher {
 public:
  using Clock = std::chrono::steady_clock;

  // A call for a key. It runs on a worker, or is told that it will not. What run returns tells of the call's
  // end, as soon as the call no longer counts as running.
  struct Job {
    std::size_t room = 0;
    std::function<std::function<void()>()> run;
    std::function<void(Refusal)> refuse;
  };

  // A room lies in another one, up to the last, which lies in itself. Of the calls of a room and of those
  // that lie in it, so many run at a time: however many of an inner room hang, the outer ones keep the rest.
  // A call that is stuck counts for a room within its own from then on, and so does each further one of its
  // key, until one returns that was not. Where that room is its own, calls are taken for harmless.
  struct RoomRule {
    std::size_t places;
    std::size_t within;    // the number of a later room
    std::size_t if_stuck;  // that of an earlier one
  };
  using Rooms = std::vector<RoomRule>;

  struct Patience {
    Clock::duration stuck;    // a call that runs for that long is
    Clock::duration blocked;  // a room is in which calls wait, and none has begun or ended for that long
  };

  // Starts a thread for each place, and returns when they run: the start of a thread takes system calls that
  // a sealed process does not have.
  Dispatcher(const Rooms& rooms, Patience patience);
  ~Dispatcher();  // waits for calls that run; those that have not begun are dropped
  Dispatcher(const Dispatcher&) = delete;
  Dispatcher& operator=(const Dispatcher&) = delete;

  void submit(const Key& key, Job job);

  // Tells of each key whose call became stuck since the last look, always before the end of that call is
  // told. Refuses the calls that wait for it, and those that have waited for as long for a place in a room
  // where nothing moves. True if a room is blocked; who was refused and asks again has waited all the time.
  bool look(Clock::time_point now, const std::function<void(const Key&)>& tell);

  // True while a call runs or waits: look should be called from time to time then.
  bool busy();

 private:
  struct Queue {
    std::deque<Job> waiting;
    Clock::time_point since;  // when the running one began, else when the first could have begun
    std::size_t room = 0;     // of the running one, or the one that is ready
    bool running = false;
    bool stuck = false;
  };
  struct Room {
    RoomRule rule = {};
    std::size_t taken = 0;       // by calls of this room and those in it
    std::deque<Key> ready = {};  // the keys with a waiting call for it and none that runs
    Clock::time_point moved{};   // when a call of these last ended, or one of its own began
    std::optional<Clock::time_point> waited_for{};  // since when, with gaps after refusals
    Clock::time_point wanted{};                     // when a call was last seen to wait
  };
  struct Refused {
    Job job;
    Refusal why = Refusal::kStuck;
  };

  void work();
  void make_ready(const Key& key, Queue& queue);
  bool is_last(std::size_t room) const { return room + 1 == rooms_.size(); }
  bool has_place(std::size_t room) const;
  Room* room_to_serve();
  void take_places(std::size_t room);
  void give_places(std::size_t room);
  bool may_hang(std::size_t room) const { return rooms_[room].rule.if_stuck != room; }
  void distrust(const Key& key, Queue& queue);
  void look_at_running(Clock::time_point now, const std::function<void(const Key&)>& tell,
                       std::vector<Refused>& refused);
  void look_at_waiting(Clock::time_point now, std::vector<Refused>& refused);
  void look_at_room(Room& room, Clock::time_point now);
  static bool stands_still(const Room& room, Clock::time_point now, Clock::duration how_long);

  const Patience patience_;
  std::mutex mutex_;
  std::condition_variable changed_;  // there may be a call to run and a place for it
  std::map<Key, Queue> queues_;      // of the keys with a call that runs or waits
  std::vector<Room> rooms_;
  std::set<Key> distrusted_;  // keys whose last call that may hang was stuck
  bool stop_ = false;
  std::latch started_;
  std::vector<std::thread> threads_;
};

template <class Key>
Dispatcher<Key>::Dispatcher(const Rooms& rooms, Patience patience)
    : patience_(patience), started_(static_cast<std::ptrdiff_t>(rooms.back().places)) {
  for (const RoomRule& rule : rooms) rooms_.push_back({rule});
  for (std::size_t i = 0; i < rooms.back().places; ++i) threads_.emplace_back([this] { work(); });
  started_.wait();
}

template <class Key>
Dispatcher<Key>::~Dispatcher() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  changed_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

template <class Key>
void Dispatcher<Key>::submit(const Key& key, Job job) {
  std::unique_lock lock(mutex_);
  Queue& queue = queues_[key];
  if (queue.stuck) {
    lock.unlock();
    return job.refuse(Refusal::kStuck);
  }
  queue.waiting.push_back(std::move(job));
  if (!queue.running && queue.waiting.size() == 1) make_ready(key, queue);
  const bool servable = room_to_serve() != nullptr;
  lock.unlock();
  if (servable) changed_.notify_one();
}

template <class Key>
void Dispatcher<Key>::make_ready(const Key& key, Queue& queue) {
  queue.since = Clock::now();
  queue.room = queue.waiting.front().room;
  if (distrusted_.contains(key)) queue.room = rooms_[queue.room].rule.if_stuck;
  rooms_[queue.room].ready.push_back(key);
}

template <class Key>
bool Dispatcher<Key>::look(Clock::time_point now, const std::function<void(const Key&)>& tell) {
  std::vector<Refused> refused;
  bool blocked = false;
  {
    const std::lock_guard lock(mutex_);
    look_at_running(now, tell, refused);
    for (Room& room : rooms_) {
      look_at_room(room, now);
      blocked = blocked || stands_still(room, now, patience_.blocked);
    }
    look_at_waiting(now, refused);
  }
  for (const Refused& one : refused) one.job.refuse(one.why);
  return blocked;
}

template <class Key>
void Dispatcher<Key>::look_at_running(Clock::time_point now, const std::function<void(const Key&)>& tell,
                                      std::vector<Refused>& refused) {
  for (auto& [key, queue] : queues_) {
    if (!queue.running || queue.stuck || now - queue.since < patience_.stuck) continue;
    queue.stuck = true;
    distrust(key, queue);
    tell(key);
    for (Job& job : queue.waiting) refused.push_back({std::move(job), Refusal::kStuck});
    queue.waiting.clear();
  }
}

template <class Key>
void Dispatcher<Key>::distrust(const Key& key, Queue& queue) {
  if (!may_hang(queue.room)) return;
  distrusted_.insert(key);
  const std::size_t outer = std::exchange(queue.room, rooms_[queue.room].rule.if_stuck);
  for (std::size_t room = queue.room; room != outer; room = rooms_[room].rule.within)
    ++rooms_[room].taken;  // even if that room is full
}

template <class Key>
void Dispatcher<Key>::look_at_room(Room& room, Clock::time_point now) {
  if (now - room.wanted >= patience_.blocked / 2)
    room.waited_for.reset();  // who was refused did not ask again
  // While there is place, a thread is on the way.
  if (room.ready.empty() || room_to_serve() != nullptr) return;
  room.wanted = now;
  if (!room.waited_for) room.waited_for = queues_.at(room.ready.front()).since;
}

template <class Key>
bool Dispatcher<Key>::stands_still(const Room& room, Clock::time_point now, Clock::duration how_long) {
  return room.waited_for && now - std::max(*room.waited_for, room.moved) >= how_long;
}

template <class Key>
void Dispatcher<Key>::look_at_waiting(Clock::time_point now, std::vector<Refused>& refused) {
  for (Room& room : rooms_) {
    if (!stands_still(room, now, patience_.stuck)) continue;
    // The first has waited for the longest.
    while (!room.ready.empty() && room_to_serve() == nullptr) {
      const auto entry = queues_.find(room.ready.front());
      if (now - entry->second.since < patience_.stuck) break;
      for (Job& job : entry->second.waiting) refused.push_back({std::move(job), Refusal::kNoRoom});
      queues_.erase(entry);
      room.ready.pop_front();
    }
  }
}

template <class Key>
bool Dispatcher<Key>::busy() {
  const std::lock_guard lock(mutex_);
  return !queues_.empty();
}

template <class Key>
bool Dispatcher<Key>::has_place(std::size_t room) const {
  const bool here = rooms_[room].taken < rooms_[room].rule.places;
  return here && (is_last(room) || has_place(rooms_[room].rule.within));
}

// The last room that has both a call to run and a place for it: its calls are the quickest to return.
template <class Key>
typename Dispatcher<Key>::Room* Dispatcher<Key>::room_to_serve() {
  for (std::size_t room = rooms_.size(); room-- > 0;)
    if (!rooms_[room].ready.empty() && has_place(room)) return &rooms_[room];
  return nullptr;
}

template <class Key>
void Dispatcher<Key>::take_places(std::size_t room) {
  rooms_[room].moved = Clock::now();
  for (++rooms_[room].taken; !is_last(room); ++rooms_[room].taken) room = rooms_[room].rule.within;
}

template <class Key>
void Dispatcher<Key>::give_places(std::size_t room) {
  for (bool last = false; !last; room = rooms_[room].rule.within) {
    last = is_last(room);
    --rooms_[room].taken;
    rooms_[room].moved = Clock::now();
  }
}

// Whoever has something to do for a thread that waits wakes one, and no more: a wake costs it system calls. A
// call that ends may make room for several others. Its thread takes one, and wakes a thread for the next,
// which does the same.
template <class Key>
void Dispatcher<Key>::work() {
  started_.count_down();
  std::unique_lock lock(mutex_);
  while (true) {
    Room* room = nullptr;
    changed_.wait(lock, [&] { return stop_ || (room = room_to_serve()) != nullptr; });
    if (stop_) return;
    const Key key = room->ready.front();
    room->ready.pop_front();
    // A reference into a map stays valid while other entries come and go; this one stays as long as it runs.
    Queue& queue = queues_.at(key);
    const Job job = std::move(queue.waiting.front());
    queue.waiting.pop_front();
    queue.running = true;
    queue.since = Clock::now();
    take_places(queue.room);
    const bool more = room_to_serve() != nullptr;
    lock.unlock();
    if (more) changed_.notify_one();
    const std::function<void()> tell_end = job.run();
    lock.lock();
    give_places(queue.room);
    if (may_hang(job.room) && !queue.stuck) distrusted_.erase(key);
    queue.running = queue.stuck = false;
    tell_end();
    if (queue.waiting.empty()) {
      queues_.erase(key);
    } else {
      make_ready(key, queue);
    }
  }
}

}  // namespace whawty
